import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { signatureKeygen } from '@symmetra/crypto';
import type { LogEntry } from '@symmetra/bus';
import { DEFAULT_POLICY, decodeEvent, eventHash, signEvent } from '@symmetra/protocol';
import type { ControlBody, SignedEvent } from '@symmetra/protocol';
import { decode, encode } from '@symmetra/rpc';
import { ManualClock, NodeNetwork, fresh } from '@symmetra/testing';
import type { TestAdministrator } from '@symmetra/testing';

const NOTICE = 'symmetra.link.v1.ControlNotice';
const LIST_EVENTS = '/symmetra.admin.v1.AdminService/ListEvents';
const POLICY: ControlBody = { kind: 'policy', policy: DEFAULT_POLICY };
const LOOK_EVERY_MS = 5000;

let clock: ManualClock;
let network: NodeNetwork;
let administrator: TestAdministrator;

beforeEach(async () => {
  clock = new ManualClock();
  network = await NodeNetwork.start({}, clock);
  ({ administrator } = network);
});

afterEach(async () => {
  await network.stop();
});

const revoke = (): ControlBody => ({ kind: 'key-revoke', keyId: fresh(16), reason: 'test' });
const bytesOf = ({ event, signatures }: SignedEvent): Uint8Array =>
  encode(NOTICE, { event, signatures: [...signatures] });
const numbers = (): number[] => network.nodeIds.map((id) => network.node(id).logNumber());
const ordered = (): number[] =>
  network.stream.entries.map(({ data }) => decodeEvent(Uint8Array.from(decode(NOTICE, data).event)).number);
const told = (event: string, node?: string) =>
  network.log.filter((line) => line.event === event && (node === undefined || line.node === node));
const append = (data: Uint8Array): number => network.stream.append(data, network.stream.state.last);

async function turns(): Promise<void> {
  for (let i = 0; i < 30; i++) {
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  }
}

/** Until the nodes have read what stands in the ordered log. */
async function settle(): Promise<void> {
  await turns();
  for (const id of network.nodeIds) await network.node(id).follow();
}

async function hashes(): Promise<readonly string[]> {
  const heads = await Promise.all(network.nodeIds.map(async (id) => administrator.head(id)));
  return [...new Set(heads.map(({ hash }) => Buffer.from(hash).toString('hex')))];
}

/** Events that follow one another, signed and not yet submitted. */
async function following(count: number): Promise<readonly SignedEvent[]> {
  let head = await administrator.head('node-1');
  return Array.from({ length: count }, () => {
    const signed = administrator.sign(revoke(), head);
    head = { number: head.number + 1, hash: eventHash(signed.event) };
    return signed;
  });
}

describe('CTL-8: the ordered log', () => {
  test('brings an event to all nodes; those that did not hear of it read it there', async () => {
    const [signed] = await following(1);
    if (signed === undefined) throw new Error('nothing was signed');
    append(bytesOf(signed));
    await settle();
    expect(numbers()).toEqual([2, 2, 2]);
  });

  test('junk and forged entries are passed over and reported', async () => {
    const mallory = signatureKeygen(fresh(32));
    const [{ event }] = (await following(1)) as [SignedEvent];
    const { administrator: id } = signEvent(
      event,
      mallory.secretKey,
      network.descriptor.administrators[0] ?? event,
    );
    const { signature } = signEvent(event, mallory.secretKey, mallory.publicKey);
    append(fresh(100));
    append(bytesOf({ event, signatures: [{ administrator: id, signature }] }));
    append(bytesOf({ event, signatures: [] }));
    await settle();
    expect(numbers()).toEqual([1, 1, 1]);
    const forged = told('control-forged', 'node-2');
    expect(forged).toHaveLength(2);
    expect(forged[0]).toMatchObject({ accused: 'unknown', code: 'BAD_SIGNATURE' });
    expect(network.node('node-2').control()).toMatchObject({ forged: 2, isHalted: false });
    const { receipts } = await administrator.submit(POLICY, 'node-3');
    expect(receipts.every(({ applied }) => applied)).toBe(true);
    expect(numbers()).toEqual([2, 2, 2]);
  });

  test('entries out of order come to their order, and repeated ones change nothing', async () => {
    const [a, b, c] = (await following(3)) as [SignedEvent, SignedEvent, SignedEvent];
    for (const one of [c, b, a, b, c]) append(bytesOf(one));
    await settle();
    expect(numbers()).toEqual([4, 4, 4]);
    expect(await hashes()).toHaveLength(1);
    expect(told('control-replayed', 'node-1')).not.toEqual([]);
    expect(told('log-fork')).toEqual([]);
  });

  test('junk that comes first time and again delays an administrator, and no more', async () => {
    const { stream } = network;
    const put = stream.append.bind(stream);
    let junk = 0;
    stream.append = (data, last) => {
      if (junk < 40) put(fresh(64), stream.state.last);
      junk += 1;
      return put(data, last);
    };
    const { receipts } = await administrator.submit(revoke(), 'node-2');
    expect(receipts.every(({ applied }) => applied)).toBe(true);
    expect(junk).toBeGreaterThan(40);
  });

  test('two valid events of one number: the second one is reported, and halts nobody', async () => {
    const head = await administrator.head('node-1');
    append(bytesOf(administrator.sign(POLICY, head)));
    append(bytesOf(administrator.sign(revoke(), head)));
    await settle();
    expect(new Set(told('control-conflict').map(({ node }) => node))).toEqual(new Set(network.nodeIds));
    expect(told('log-fork')).toEqual([]);
    const { receipts } = await administrator.submit(POLICY, 'node-1');
    expect(receipts.every(({ applied }) => applied)).toBe(true);
  });

  test.each([
    ['truncated', (entries: readonly LogEntry[]) => network.stream.tamper(entries.slice(0, 2))],
    ['made anew', () => network.stream.recreate()],
  ])('that is %s is noticed, and completed from what the nodes keep', async (_, harm) => {
    for (let i = 0; i < 3; i++) await administrator.submit(revoke());
    harm(network.stream.entries);
    clock.advance(LOOK_EVERY_MS);
    await settle();
    await settle();
    expect(ordered()).toEqual([1, 2, 3, 4]);
    expect(new Set(told('control-log-lost').map(({ node }) => node)).size).toBe(3);
    expect(network.node('node-1').control().logsLost).toBe(1);
    const { receipts } = await administrator.submit(POLICY, 'node-2');
    expect(receipts.every(({ applied }) => applied)).toBe(true);
    expect(ordered()).toEqual([1, 2, 3, 4, 5]);
  });

  test('that was truncated while an administrator submits loses neither', async () => {
    for (let i = 0; i < 3; i++) await administrator.submit(revoke());
    network.stream.tamper(network.stream.entries.slice(0, 1));
    const { number } = await administrator.submit(POLICY, 'node-3');
    expect(number).toBe(5);
    await settle();
    expect(ordered()).toEqual([1, 2, 3, 4, 5]);
    expect(numbers()).toEqual([5, 5, 5]);
  });

  test('that lost its end is not continued by a node that never read it', async () => {
    await network.stopNode('node-3');
    const head = await administrator.head('node-1');
    await administrator.submit(revoke(), 'node-1');
    for (const id of ['node-1', 'node-2']) await network.stopNode(id);
    network.stream.tamper(network.stream.entries.slice(0, 1));
    await network.startNode('node-3');
    const other = administrator.sign(revoke(), head);
    const submit = async () => network.node('node-3').submit(other);
    await expect(submit()).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
    await network.startNode('node-2');
    await expect(submit()).rejects.toMatchObject({ code: 'EVENT_CONFLICT' });
    await network.startNode('node-1');
    expect(numbers()).toEqual([2, 2, 2]);
    expect(told('log-fork')).toEqual([]);
    expect(await hashes()).toHaveLength(1);
  });

  test('that is slow to hand over what it holds is not taken for emptied', async () => {
    await network.stopNode('node-3');
    await administrator.submit(revoke(), 'node-1');
    for (const id of ['node-1', 'node-2']) await network.stopNode(id);
    const log = network.stream.join();
    const join = vi.spyOn(network.stream, 'join').mockReturnValueOnce({
      append: async (data, last) => log.append(data, last),
      state: async () => log.state(),
      next: async (after) => log.next(after),
      follow: () => async () => undefined,
      close: async () => log.close(),
    });
    const started = network.startNode('node-3');
    for (let i = 0; i < 20; i++) {
      clock.advance(500);
      await turns();
    }
    await started;
    expect(join).toHaveBeenCalledOnce();
    expect(told('control-log-lost')).toEqual([]);
    await network.startNode('node-1');
    await network.startNode('node-2');
    expect(numbers()).toEqual([2, 2, 2]);
    join.mockRestore();
  });

  test('a node that was down reads on where it stopped', async () => {
    await network.stopNode('node-3');
    for (let i = 0; i < 3; i++) await administrator.submit(revoke());
    for (const id of ['node-1', 'node-2']) await network.stopNode(id);
    await network.startNode('node-3');
    expect(network.node('node-3').logNumber()).toBe(4);
    for (const id of ['node-1', 'node-2']) await network.startNode(id);
    expect(told('control-log-lost')).toEqual([]);
    expect(told('control-replayed')).toEqual([]);
  });

  test('two administrators at two nodes at once fork nothing, and lose nothing', async () => {
    const rounds = 50;
    const submitUntilDone = async (node: string, body: ControlBody): Promise<void> => {
      for (;;) {
        const signed = administrator.sign(body, await administrator.head(node));
        try {
          await network.node(node).submit(signed);
          return;
        } catch (error) {
          expect(error).toMatchObject({ code: expect.stringMatching(/^(EVENT_CONFLICT|LOG_BROKEN)$/) });
        }
      }
    };
    const decided: string[] = [];
    const decide = async (node: string): Promise<void> => {
      const body = revoke();
      if (body.kind === 'key-revoke') decided.push(Buffer.from(body.keyId).toString('hex'));
      await submitUntilDone(node, body);
    };
    for (let i = 0; i < rounds; i++) await Promise.all([decide('node-1'), decide('node-2')]);
    await settle();
    expect(numbers()).toEqual([101, 101, 101]);
    expect(await hashes()).toHaveLength(1);
    expect(ordered()).toEqual(Array.from({ length: 101 }, (_, i) => i + 1));
    expect(told('log-fork')).toEqual([]);
    const found = network.stream.entries.flatMap(({ data }) => {
      const { body } = decodeEvent(Uint8Array.from(decode(NOTICE, data).event));
      return body.kind === 'key-revoke' ? [Buffer.from(body.keyId).toString('hex')] : [];
    });
    expect(found.toSorted()).toEqual(decided.toSorted());
  });
});

describe('CTL-9: snapshots', () => {
  const EVERY = 8;

  test('a new node begins with one, serves, and has the whole history later', async () => {
    await network.stop();
    network = await NodeNetwork.start({}, clock, undefined, undefined, { snapshotEvery: EVERY });
    ({ administrator } = network);
    const device = fresh(32);
    await administrator.submit({ kind: 'device-revoke', deviceId: device, reason: 'stolen' });
    await administrator.createToken({ expiresMs: clock.now() + 1000 });
    clock.advance(2000);
    const token = await administrator.createToken();
    for (let i = 0; i < EVERY; i++) await administrator.submit(i % 2 === 0 ? POLICY : revoke());
    await network.stopNode('node-3');
    await network.emptyStore('node-3');
    await network.startNode('node-3');
    const begun = network.log.find(({ message }) => message === 'The control log begins with a snapshot.');
    expect(begun).toMatchObject({ node: 'node-3', sequence: EVERY, count: 5 });
    expect(network.node('node-3').logNumber()).toBe(4 + EVERY);
    await settle();
    expect(network.node('node-3').control().isFresh).toBe(true);
    const { events } = await administrator.call('node-3', LIST_EVENTS, { from: 1, limit: 100 });
    expect(events.map(({ event }) => decodeEvent(Uint8Array.from(event)).number)).toEqual(
      Array.from({ length: 4 + EVERY }, (_, i) => i + 1),
    );
    await network.stopNode('node-3');
    await network.startNode('node-3');
    expect(network.node('node-3').logNumber()).toBe(4 + EVERY);
    expect(token).not.toBe('');
  });
});
