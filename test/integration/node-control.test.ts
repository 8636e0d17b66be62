import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { signatureKeygen } from '@symmetra/crypto';
import { DEFAULT_POLICY, REQUEST_WINDOW_MS, encodeState, signRequest } from '@symmetra/protocol';
import type { ControlBody, SignedEvent } from '@symmetra/protocol';
import { encode } from '@symmetra/rpc';
import { ManualClock, NodeNetwork, TestAdministrator, TestDevice, fresh } from '@symmetra/testing';
import { logRow } from '../../packages/node/src/rows/row-keys.js';

const GET_HEAD = '/symmetra.admin.v1.AdminService/GetHead';
const SUBMIT = '/symmetra.admin.v1.AdminService/Submit';
const LIST_EVENTS = '/symmetra.admin.v1.AdminService/ListEvents';
const LIST_DEVICES = '/symmetra.admin.v1.AdminService/ListDevices';
const GET_DEVICE = '/symmetra.admin.v1.AdminService/GetDevice';
const POLICY: ControlBody = { kind: 'policy', policy: DEFAULT_POLICY };

let clock: ManualClock;
let network: NodeNetwork;
let administrator: TestAdministrator;

/** Hands a node an event as another node does. */
async function hand(node: string, { event, signatures }: SignedEvent): Promise<void> {
  const wire = network.wire.join('test');
  const notice = encode('symmetra.link.v1.ControlNotice', { event, signatures: [...signatures] });
  try {
    await wire.request(node, 'control', notice, { timeoutMs: 5000 });
  } finally {
    await wire.close();
  }
}

beforeEach(async () => {
  clock = new ManualClock();
  network = await NodeNetwork.start({}, clock);
  ({ administrator } = network);
});

afterEach(async () => {
  await network.stop();
});

describe('an administrative request', () => {
  test('is refused without a signature, with that of somebody else, and for another node', async () => {
    const unsigned = administrator.call('node-1', GET_HEAD, {}, { signature: fresh(3309) });
    await expect(unsigned).rejects.toMatchObject({ code: 'BAD_SIGNATURE' });
    const missing = administrator.call('node-1', GET_HEAD, {}, { signature: fresh(0) });
    await expect(missing).rejects.toMatchObject({ code: 'BAD_SIGNATURE' });
    const mallory = new TestAdministrator(network.descriptor, fresh(1952), signatureKeygen(fresh(32)), () =>
      clock.now(),
    );
    await expect(mallory.head()).rejects.toMatchObject({ code: 'ADMINISTRATOR_UNKNOWN' });
    const misled = administrator.call('node-1', GET_HEAD, {}, { node: 'node-2' });
    await expect(misled).rejects.toMatchObject({ code: 'WRONG_NODE' });
  });

  test('is refused a second time, also by a node that restarted', async () => {
    const { publicKey, secretKey } = signatureKeygen(fresh(32));
    const nonce = fresh(32);
    await administrator.call('node-1', GET_HEAD, {}, { nonce });
    const again = async () => administrator.call('node-1', GET_HEAD, {}, { nonce });
    await expect(again()).rejects.toMatchObject({ code: 'REQUEST_REPLAYED' });
    await network.stopNode('node-1');
    await network.startNode('node-1');
    await expect(again()).rejects.toMatchObject({ code: 'REQUEST_REPLAYED' });
    const unsigned = { node: 'node-1', body: fresh(0), nonce: fresh(32), timeMs: clock.now() };
    const stranger = signRequest(network.descriptor.networkId, GET_HEAD, unsigned, secretKey, publicKey);
    await expect(administrator.send('node-1', GET_HEAD, stranger)).rejects.toMatchObject({
      code: 'ADMINISTRATOR_UNKNOWN',
    });
  });

  test('is refused when it is stale or from the future', async () => {
    const at = async (timeMs: number) => administrator.call('node-1', GET_HEAD, {}, { timeMs });
    await at(clock.now() - REQUEST_WINDOW_MS);
    await expect(at(clock.now() - REQUEST_WINDOW_MS - 1)).rejects.toMatchObject({ code: 'REQUEST_STALE' });
    await expect(at(clock.now() + REQUEST_WINDOW_MS + 1)).rejects.toMatchObject({ code: 'REQUEST_STALE' });
  });

  test('leaves a nonce behind until it could not be taken again anyway', async () => {
    const nonces = async () => network.store('node-1').scan('nonce/');
    await administrator.head('node-1');
    expect((await nonces()).length).toBeGreaterThan(0);
    clock.advance(2 * REQUEST_WINDOW_MS + 1);
    await network.node('node-1').sweep();
    expect(await nonces()).toEqual([]);
  });

  test('reads devices page by page, and one of them', async () => {
    const token = await administrator.createToken({ uses: 3 });
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) {
      const device = await TestDevice.meet(token);
      await device.enrolAt('node-1');
      ids.push(Buffer.from(device.deviceId).toString('hex'));
      device.close();
    }
    const seen: string[] = [];
    for (let after = Buffer.alloc(0); ;) {
      const { devices } = await administrator.call('node-1', LIST_DEVICES, { after, limit: 2 });
      if (devices.length === 0) break;
      seen.push(...devices.map(({ deviceId }) => deviceId.toString('hex')));
      after = Buffer.from(devices.at(-1)?.deviceId ?? []);
    }
    expect(seen).toEqual(ids.toSorted());
    const unknown = administrator.call('node-1', GET_DEVICE, { deviceId: Buffer.alloc(32) });
    await expect(unknown).rejects.toMatchObject({ code: 'DEVICE_UNKNOWN' });
    const nonsense = administrator.call('node-1', GET_DEVICE, { deviceId: Buffer.alloc(5) });
    await expect(nonsense).rejects.toMatchObject({ code: 'BAD_MESSAGE' });
  });
});

describe('the control log', () => {
  test('a node that was down catches up when it is back', async () => {
    await network.stopNode('node-3');
    const { receipts } = await administrator.submit(POLICY);
    expect(receipts).toContainEqual({ node: 'node-3', applied: false, code: 'NODE_UNREACHABLE' });
    for (let i = 0; i < 40; i++) await administrator.submit({ ...POLICY });
    await network.startNode('node-3');
    expect(network.node('node-3').logNumber()).toBe(42);
    const { number } = await administrator.submit(POLICY, 'node-3');
    expect(number).toBe(43);
    expect(network.nodeIds.map((id) => network.node(id).logNumber())).toEqual([43, 43, 43]);
    const { events } = await administrator.call('node-2', LIST_EVENTS, { from: 40, limit: 2 });
    expect(events).toHaveLength(2);
  });

  test('a node that missed an event fetches it when it hears of a later one', async () => {
    const missed = administrator.sign(POLICY, await administrator.head('node-1'));
    await hand('node-1', missed);
    expect(network.node('node-2').logNumber()).toBe(1);
    const { receipts } = await administrator.submit(POLICY, 'node-1');
    expect(receipts.every(({ applied }) => applied)).toBe(true);
    expect(network.node('node-2').logNumber()).toBe(3);
  });

  test('events that do not follow, are not signed, or are repeated change nothing', async () => {
    const { event, signatures } = administrator.sign(POLICY, { number: 8, hash: fresh(32) });
    const submit = async (signed: { event: Uint8Array; signatures: typeof signatures }) =>
      administrator.call('node-1', SUBMIT, {
        event: { event: signed.event, signatures: [...signed.signatures] },
      });
    await expect(submit({ event, signatures })).rejects.toMatchObject({ code: 'LOG_GAP' });
    const broken = administrator.sign(POLICY, { number: 1, hash: fresh(32) });
    await expect(submit({ ...broken })).rejects.toMatchObject({ code: 'LOG_BROKEN' });
    const next = administrator.sign(POLICY, await administrator.head());
    await expect(submit({ event: next.event, signatures: [] })).rejects.toMatchObject({
      code: 'BAD_SIGNATURE',
    });
    await submit(next);
    const { number, receipts } = await submit(next);
    expect(number).toBe(2);
    expect(receipts.every(({ applied }) => applied)).toBe(true);
    expect(network.node('node-1').logNumber()).toBe(2);
  });

  test('a node that stands on another event than k others halts, over a restart too; they do not', async () => {
    const token = await administrator.createToken();
    const alice = await TestDevice.enrol(token);
    const head = await administrator.head('node-1');
    const other = administrator.sign({ kind: 'key-revoke', keyId: fresh(16), reason: 'other' }, head);
    await network.stopNode('node-2');
    await network.store('node-2').commit([{ key: logRow(head.number + 1), value: encodeState(other) }]);
    await administrator.submit(POLICY, 'node-1');
    await network.startNode('node-2');
    await expect.poll(() => network.node('node-2').control().isHalted).toBe(true);
    expect(network.log).toContainEqual(
      expect.objectContaining({ level: 'error', event: 'log-fork', node: 'node-2' }),
    );
    await network.node('node-1').follow();
    expect(network.node('node-1').control()).toMatchObject({ isHalted: false, isFresh: true });
    const r1 = alice.startStep('node-2');
    const halted = { code: 'NODE_HALTED' };
    await expect(alice.client('node-3').step({ node: 'node-2', r1 })).rejects.toMatchObject(halted);
    await expect(hand('node-2', other)).rejects.toMatchObject(halted);
    await network.stopNode('node-2');
    await network.startNode('node-2');
    await expect(alice.client('node-2').step({ node: '', r1 })).rejects.toMatchObject(halted);
    expect(await alice.client('node-2').health()).toBe('NOT_SERVING');
    alice.close();
  });

  test('an event whose place another one got halts nobody, whoever brings it', async () => {
    const head = await administrator.head('node-1');
    const late = administrator.sign({ kind: 'key-revoke', keyId: fresh(16), reason: 'late' }, head);
    await administrator.submit(POLICY, 'node-2');
    const event = { event: late.event, signatures: [...late.signatures] };
    const conflict = { code: 'EVENT_CONFLICT' };
    await expect(administrator.call('node-2', SUBMIT, { event })).rejects.toMatchObject(conflict);
    for (const id of network.nodeIds) await expect(hand(id, late)).rejects.toMatchObject(conflict);
    const told = network.log.filter(({ event: name }) => name === 'control-conflict').map(({ node }) => node);
    expect(told).toEqual(network.nodeIds);
    const { receipts } = await administrator.submit(POLICY, 'node-3');
    expect(receipts.every(({ applied }) => applied)).toBe(true);
  });

  test('a node that hears of no other appends nothing, and halts nobody with what it was handed', async () => {
    const head = await administrator.head('node-1');
    await network.stopNode('node-2');
    await network.stopNode('node-3');
    const event = administrator.sign(POLICY, head);
    await administrator.call('node-1', SUBMIT, {
      event: { event: event.event, signatures: [...event.signatures] },
    });
    await network.stopNode('node-1');
    network.stream.recreate();
    await network.startNode('node-2');
    const revoke: ControlBody = { kind: 'key-revoke', keyId: fresh(16), reason: 'other' };
    await expect(administrator.submit(revoke, 'node-2')).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
    await hand('node-2', administrator.sign(revoke, head));
    await network.startNode('node-1');
    const conflict = expect.objectContaining({ event: 'control-conflict', node: 'node-1' });
    expect(network.log).toContainEqual(conflict);
    expect(network.node('node-1').control()).toMatchObject({ isHalted: false, isFresh: false });
  });
});
