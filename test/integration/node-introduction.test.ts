import type { Bus } from '@symmetra/bus';
import { Secret, SymmetraError, suites } from '@symmetra/crypto';
import {
  decodeToken,
  deviceIdOf,
  encodeDeviceFacts,
  encodeIntroductionPart,
  introductionRequests,
  nodeKeyHash,
  nodeKemKey,
  receiveAcknowledgement,
  receiveAnswer,
  startEnrolment,
  startIntroduction,
  tokenIdOf,
} from '@symmetra/protocol';
import type { DeviceFacts, Introducing } from '@symmetra/protocol';
import { decode } from '@symmetra/rpc';
import { NodeNetwork, TestDevice, fresh } from '@symmetra/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

/*
 * ENR-9 to ENR-12 at real nodes. Node 3 is stopped, and the test speaks in its place on the bus: it lies.
 */
const NEW = 'node-4';
const OLD = ['node-1', 'node-2', 'node-3'];
const INTRODUCE = '/symmetra.enrolment.v1.EnrolmentService/Introduce';

let network: NodeNetwork;
let liar: Bus;

/** A device that enrolled at nodes 1 and 2 before node 4 came. */
interface Newcomer {
  readonly device: TestDevice;
  readonly tokenId: Uint8Array;
  readonly nonce: Uint8Array;
}

/** Tokens that were made before node 4 came. */
const tokens: string[] = [];

beforeAll(async () => {
  network = await NodeNetwork.start();
  for (let i = 0; i < 6; i++) tokens.push(await network.administrator.createToken());
  await network.addNode(NEW);
  await network.stopNode('node-3');
  liar = network.wire.join('node-3');
});

afterAll(async () => {
  await liar.close();
  await network.stop();
});

/** A code that is refused with; `done` when nothing is. */
async function codeOf(action: Promise<unknown>): Promise<string> {
  return action.then(
    () => 'done',
    (error: unknown) => {
      if (error instanceof SymmetraError) return error.code;
      throw error;
    },
  );
}

async function newcomer(): Promise<Newcomer> {
  const token = tokens.pop() ?? '';
  const nonce = fresh(32);
  const device = new TestDevice(network.descriptor, token, 1, nonce);
  for (const nodeId of ['node-1', 'node-2']) {
    await device.enrolAt(nodeId);
    await device.ratchet(nodeId);
  }
  return { device, nonce, tokenId: tokenIdOf(network.descriptor.networkId, decodeToken(token).secret) };
}

function introduce({ device, tokenId, nonce }: Newcomer, nodes = OLD): Introducing {
  const node = network.descriptor.nodes.find(({ id }) => id === NEW);
  if (node === undefined) throw new Error('the descriptor names the new node');
  const start = {
    tokenId,
    enrolmentNonce: nonce,
    nodeId: NEW,
    nodeKeyHash: nodeKeyHash(node),
    descriptorVersion: network.descriptor.version,
    threshold: 2,
    nodes,
  };
  return startIntroduction(device.context, start, { secret: fresh(32), coefficients: fresh(32) }).state;
}

/** The device asks an honest node. */
async function ask({ device }: Newcomer, introducing: Introducing, node: string): Promise<unknown> {
  const request = introductionRequests(introducing).find(({ nodeId }) => nodeId === node);
  return device.call(node, INTRODUCE, { header: introducing.header, share: request?.share ?? fresh(32) });
}

/** Node 3 says what it likes. */
async function lie(
  introducing: Introducing,
  facts: Partial<DeviceFacts>,
  shareOf = 'node-3',
): Promise<unknown> {
  const request = introductionRequests(introducing).find(({ nodeId }) => nodeId === shareOf);
  const part = encodeIntroductionPart({
    header: introducing.header,
    share: Secret.of('Share', request?.share.slice() ?? fresh(32)),
    facts: encodeDeviceFacts({
      account: 'test',
      name: 'test device',
      tags: [{ key: 'site', value: 'test' }],
      ...facts,
    }),
  });
  return liar.request(NEW, 'introduce', part, { timeoutMs: 5000 });
}

/** ENR-2 to ENR-8 with t_new. @returns the account that the new node says */
async function enrol({ device, tokenId, nonce }: Newcomer, { token }: Introducing): Promise<string> {
  const node = network.descriptor.nodes.find(({ id }) => id === NEW);
  if (node === undefined) throw new Error('the descriptor names the new node');
  const { kem } = suites.get(1);
  const { state, output } = startEnrolment(
    device.context,
    {
      suiteId: 1,
      tokenId,
      token: token.clone(),
      enrolmentNonce: nonce,
      nodeId: NEW,
      nodeKeyHash: nodeKeyHash(node),
      nodeKemKey: nodeKemKey(node, 1),
      descriptorVersion: network.descriptor.version,
      name: 'another name',
    },
    { seed: fresh(kem.seedLength), coins: fresh(kem.coinsLength) },
  );
  const { answer } = await device.client(NEW).offer({ node: NEW, offer: output });
  const confirming = receiveAnswer(device.context, state, answer).state;
  const { confirmation } = confirming;
  const { acknowledgement } = await device.client(NEW).confirm({ node: NEW, confirmation });
  return receiveAcknowledgement(confirming, acknowledgement).state.account;
}

/** What an administrator reads of the device at the new node. */
async function knownAtNewNode({ device }: Newcomer): Promise<unknown> {
  const { deviceId } = device;
  const { device: row } = await network.administrator.call(NEW, '/symmetra.admin.v1.AdminService/GetDevice', {
    deviceId,
  });
  return { name: row?.name, tags: row?.tags, stage: row?.stage };
}
const KNOWN = { name: 'test device', tags: { site: 'test' }, stage: 'bootstrap' };

describe('a device that two honest nodes introduce', () => {
  test('ENR-10 to ENR-12: enrols under its own id, with the account and the name that they know', async () => {
    const one = await newcomer();
    const introducing = introduce(one);
    await ask(one, introducing, 'node-1');
    expect(await codeOf(enrol(one, introducing))).toBe('TOKEN_UNKNOWN');
    await ask(one, introducing, 'node-2');
    await ask(one, introducing, 'node-2');
    expect(await enrol(one, introducing)).toBe('test');
    expect(await knownAtNewNode(one)).toEqual(KNOWN);
    await ask(one, introducing, 'node-1');
    expect(await codeOf(ask(one, introduce(one), 'node-1'))).toBe('DEVICE_ENROLLED');
    one.device.close();
  });

  test('ENR-12: the introduction outlives a restart of the new node at any point', async () => {
    const one = await newcomer();
    const introducing = introduce(one);
    await ask(one, introducing, 'node-1');
    await again();
    await ask(one, introducing, 'node-2');
    await again();
    expect(await enrol(one, introducing)).toBe('test');
    one.device.close();
  });

  async function again(): Promise<void> {
    await network.stopNode(NEW);
    await network.reopenStore(NEW);
    await network.startNode(NEW);
  }
});

describe('a node that lies', () => {
  test('ENR-12: what one node says of a device that is none, or of one that is, counts for nothing', async () => {
    const one = await newcomer();
    const nonce = fresh(32);
    const nobody = { ...one, nonce };
    const invented = introduce(nobody);
    await lie(invented, {});
    await lie(invented, { account: 'mallory' });
    expect(await codeOf(enrol(nobody, invented))).toBe('TOKEN_UNKNOWN');

    const introducing = introduce(one);
    await lie(introducing, { account: 'mallory' });
    await ask(one, introducing, 'node-1');
    expect(await codeOf(enrol(one, introducing))).toBe('TOKEN_UNKNOWN');
    expect(network.log).toContainEqual(
      expect.objectContaining({ node: NEW, event: 'introduction-differs', device: one.device.id }),
    );
    await ask(one, introducing, 'node-2');
    expect(await enrol(one, introducing)).toBe('test');
    expect(await knownAtNewNode(one)).toEqual(KNOWN);
    one.device.close();
  });

  test('ENR-11: it can not speak for another node, nor bring another share', async () => {
    const one = await newcomer();
    const introducing = introduce(one);
    expect(await codeOf(lie(introducing, {}, 'node-1'))).toBe('SHARE_MISMATCH');
    expect(await codeOf(lie(introduce(one, ['node-1', 'node-2']), {}, 'node-1'))).toBe('NOT_IN_NODE_SET');
    one.device.close();
  });

  test('ENR-11: it can not fill the store: of one node only so many parts wait', async () => {
    const codes = new Set<string>();
    for (let i = 0; i < 66; i++) {
      const tokenId = fresh(16);
      const nonce = fresh(32);
      const device = {
        deviceId: deviceIdOf(tokenId, nonce),
        context: { networkId: network.descriptor.networkId, suites },
      };
      codes.add(
        await codeOf(lie(introduce({ device: device as unknown as TestDevice, tokenId, nonce }), {})),
      );
    }
    expect([...codes]).toEqual(['done', 'INTRODUCTION_BUSY']);
  });
});

describe('a device that is revoked', () => {
  test('ENR-10, ENR-11: is introduced by no honest node, and taken by none', async () => {
    const one = await newcomer();
    const introducing = introduce(one);
    await ask(one, introducing, 'node-1');
    await network.administrator.submit(
      { kind: 'device-revoke', deviceId: one.device.deviceId, reason: 'lost' },
      'node-1',
    );
    expect(await codeOf(ask(one, introducing, 'node-2'))).toBe('DEVICE_REVOKED');
    expect(await codeOf(lie(introducing, {}))).toBe('DEVICE_REVOKED');
    one.device.close();
  });
});

describe('a request that does not fit', () => {
  test('ENR-10: is refused by the node that is asked', async () => {
    const one = await newcomer();
    const nobody = introduce({ ...one, nonce: fresh(32) });
    expect(await codeOf(ask(one, nobody, 'node-1'))).toBe('INITIATOR_MISMATCH');
    const introducing = introduce(one);
    const wrongShare = { ...introducing, nodes: ['node-2', 'node-1', 'node-3'] };
    expect(await codeOf(ask(one, wrongShare, 'node-1'))).toBe('SHARE_MISMATCH');
    await network.stopNode(NEW);
    expect(await codeOf(ask(one, introducing, 'node-1'))).toBe('NODE_UNREACHABLE');
    await network.startNode(NEW);
    one.device.close();
  });
});

test('CTL-2: a node gives its descriptor on the bus', async () => {
  const reply = await liar.request('node-1', 'descriptor', new Uint8Array(0), { timeoutMs: 5000 });
  const { descriptor } = decode('symmetra.network.v1.PutDescriptorRequest', reply);
  expect(Buffer.from(descriptor).equals(network.sign(network.descriptor).descriptor)).toBe(true);
});
