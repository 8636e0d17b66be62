import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DEFAULT_POLICY, decodeEvent, verifyEvent } from '@symmetra/protocol';
import { NodeNetwork, TestDevice } from '@symmetra/testing';
import type { ReceivedEvent } from '@symmetra/testing';

let network: NodeNetwork;
let alice: TestDevice;
let bob: TestDevice;
let carol: TestDevice;

beforeAll(async () => {
  network = await NodeNetwork.start();
});

afterAll(async () => {
  await network.stop();
});

beforeEach(async () => {
  const token = await network.administrator.createToken({ uses: 3 });
  [alice, bob, carol] = [
    await TestDevice.enrol(token),
    await TestDevice.enrol(token),
    await TestDevice.enrol(token),
  ];
});

afterEach(() => {
  for (const device of [alice, bob, carol]) device.close();
});

const negotiate = async (from: TestDevice, to: TestDevice): Promise<Uint8Array> => {
  const { requests, keyId } = from.startNegotiation(to.deviceId);
  for (const request of requests) await from.ask(request);
  return keyId;
};

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** Whether an event tells of this decision, with a signature that the device verifies itself. */
const tellsOf =
  (kind: string, device = alice) =>
  ({ notice }: ReceivedEvent): boolean => {
    if (notice === null || notice === undefined) return false;
    const signed = {
      event: Uint8Array.from(notice.event),
      signatures: notice.signatures.map(({ administrator, signature }) => ({
        administrator: Uint8Array.from(administrator),
        signature: Uint8Array.from(signature),
      })),
    };
    return verifyEvent(device.descriptor, signed).body.kind === kind;
  };

const waitingShares = async (to: TestDevice): Promise<number> => {
  const rows = await Promise.all(
    network.nodeIds.map(async (id) => network.store(id).scan(`share/${hex(to.deviceId)}/`)),
  );
  return rows.flat().length;
};

const revoke = async (device: TestDevice) =>
  network.administrator.submit({ kind: 'device-revoke', deviceId: device.deviceId, reason: 'stolen' });

describe('a revoked device', () => {
  test('is refused by every node from the next call on, and its link is closed', async () => {
    await bob.connect('node-2');
    const kept = bob.sessions.get('node-3');
    const { receipts } = await revoke(bob);
    expect(receipts.map(({ node, applied }) => [node, applied])).toEqual(
      network.nodeIds.map((id) => [id, true]),
    );
    expect(await bob.link?.closed).toMatchObject({ code: 'DEVICE_REVOKED' });
    bob.link = undefined;
    if (kept !== undefined) bob.sessions.set('node-3', kept);
    await expect(bob.attach('node-3', 'node-1')).rejects.toMatchObject({ code: 'SESSION_LOST' });
    for (const nodeId of bob.nodeIds) {
      await expect(bob.openSession(nodeId)).rejects.toMatchObject({ code: 'DEVICE_REVOKED' });
      const r1 = bob.startStep(nodeId);
      const step = bob.client(nodeId).step({ node: '', r1 });
      await expect(step).rejects.toMatchObject({ code: 'DEVICE_REVOKED' });
    }
  });

  test('gets no keys, and its waiting shares are dropped in both directions', async () => {
    await negotiate(alice, bob);
    await negotiate(bob, carol);
    await negotiate(alice, carol);
    expect(await waitingShares(bob)).toBe(3);
    expect(await waitingShares(carol)).toBe(6);
    await revoke(bob);
    expect(await waitingShares(bob)).toBe(0);
    expect(await waitingShares(carol)).toBe(3);
    await expect(negotiate(alice, bob)).rejects.toMatchObject({ code: 'PEER_REVOKED' });
  });

  test('is announced to its peers: at once when they are attached, else when they attach', async () => {
    await negotiate(alice, bob);
    await negotiate(bob, carol);
    await alice.connect('node-1');
    await revoke(bob);
    const notices = await alice.received(tellsOf('device-revoke'), 3);
    expect(notices.map(({ node }) => node).toSorted()).toEqual(network.nodeIds);
    const { body } = decodeEvent(Uint8Array.from(notices[0]?.notice?.event ?? []));
    expect(body).toMatchObject({ reason: 'stolen', deviceId: bob.deviceId });
    await carol.connect('node-3');
    await carol.received(tellsOf('device-revoke'), 3);
  });

  test('can not be enrolled again: a revocation that came before the confirmation counts', async () => {
    const dave = await TestDevice.meet(await network.administrator.createToken());
    const confirming = await dave.offer('node-1');
    await revoke(dave);
    await expect(dave.confirm('node-1', confirming)).rejects.toMatchObject({ code: 'DEVICE_REVOKED' });
    dave.close();
  });

  test('stays revoked when a node restarts', async () => {
    await revoke(bob);
    await network.stopNode('node-1');
    await network.startNode('node-1');
    await expect(bob.openSession('node-1')).rejects.toMatchObject({ code: 'DEVICE_REVOKED' });
  });
});

describe('a revoked key', () => {
  test('loses its shares, both devices are told, and its id is refused for ever', async () => {
    await alice.connect('node-1');
    const keyId = await negotiate(alice, bob);
    await network.administrator.submit({ kind: 'key-revoke', keyId, reason: 'lost' });
    expect(await waitingShares(bob)).toBe(0);
    await alice.received(tellsOf('key-revoke'), 3);
    await bob.connect('node-2');
    await bob.received(tellsOf('key-revoke'), 3);
    const { requests } = alice.startNegotiation(bob.deviceId, { keyId });
    const [request] = requests;
    if (request === undefined) throw new Error('there are no nodes');
    await expect(alice.ask(request)).rejects.toMatchObject({ code: 'KEY_REVOKED' });

    await network.stopNode('node-3');
    await network.startNode('node-3');
    await carol.connect('node-3');
    const [, , third] = carol.startNegotiation(bob.deviceId, { keyId }).requests;
    if (third === undefined) throw new Error('there are no nodes');
    await expect(carol.ask(third)).rejects.toMatchObject({ code: 'KEY_REVOKED' });
    await bob.openSession('node-3');
    bob.events.length = 0;
    await bob.attach('node-3', 'node-2');
    await bob.received((event) => event.node === 'node-3' && tellsOf('key-revoke')(event));
  });
});

describe('a policy that forbids a suite', () => {
  test('ends its sessions and links at once; a device with another suite goes on', async () => {
    const token = await network.administrator.createToken();
    const dave = await TestDevice.enrol(token, 2);
    await alice.connect('node-1');
    await dave.connect('node-1');
    await network.administrator.submit({ kind: 'policy', policy: { ...DEFAULT_POLICY, allowedSuites: [1] } });
    await alice.attach('node-1', 'node-1');
    expect(await dave.link?.closed).toMatchObject({ code: 'SESSION_LOST' });
    await expect(dave.openSession('node-2')).rejects.toMatchObject({ code: 'SUITE_FORBIDDEN' });
    await dave.ratchet('node-2', 'production', 1);
    await dave.openSession('node-2');
    await alice.received((event) => event.node === 'node-1' && tellsOf('policy')(event), 2);
    await network.administrator.submit({ kind: 'policy', policy: DEFAULT_POLICY });
    dave.close();
  });

  test('keeps back the shares that wait under it', async () => {
    await negotiate(alice, bob);
    const { requests } = alice.startNegotiation(bob.deviceId, { purpose: 'camera' });
    for (const request of requests) await alice.ask(request);
    const policy = { ...DEFAULT_POLICY, purposes: ['camera'] };
    await network.administrator.submit({ kind: 'policy', policy });
    await bob.connect('node-1');
    const deliveries = await bob.received((event) => event.event === 'delivery', 3);
    const header = Buffer.from(requests[0]?.header ?? []);
    expect(deliveries.every(({ delivery }) => header.equals(Buffer.from(delivery?.header ?? [])))).toBe(true);
    await bob.received(tellsOf('policy'), 3);
    expect(bob.events.filter((event) => event.event === 'delivery')).toHaveLength(3);
    await network.administrator.submit({ kind: 'policy', policy: DEFAULT_POLICY });
  });
});
