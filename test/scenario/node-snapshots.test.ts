import { beforeAll, describe, expect, test } from 'vitest';
import { InProcessNetwork } from '@symmetra/bus';
import type { Bus } from '@symmetra/bus';
import { Reader, Writer, signatureKeygen, suites } from '@symmetra/crypto';
import type { SignatureKeyPair } from '@symmetra/crypto';
import { describeIdentity, loadIdentity } from '@symmetra/node';
import type { NodeIdentity } from '@symmetra/node';
import {
  DEFAULT_POLICY,
  EMPTY_LOG,
  SnapshotLedger,
  decodeEvent,
  encodeEvent,
  eventHash,
  signDescriptor,
  signEvent,
  snapshotHash,
} from '@symmetra/protocol';
import type { ControlBody, Descriptor, LogHead, SignedDescriptor, SignedEvent } from '@symmetra/protocol';
import { encode } from '@symmetra/rpc';
import { createLogger } from '@symmetra/runtime';
import { openMemoryStore } from '@symmetra/storage';
import type { Store } from '@symmetra/storage';
import { ManualClock, fresh } from '@symmetra/testing';
import { ControlState } from '../../packages/node/src/control/control-state.js';
import { History } from '../../packages/node/src/control/history.js';
import { LogRows } from '../../packages/node/src/control/log-rows.js';
import { toNotice } from '../../packages/node/src/control/notice.js';
import { SnapshotExchange } from '../../packages/node/src/control/snapshot-exchange.js';

const NODES = 5;
const EVERY = 4;
const root = signatureKeygen(fresh(32));
const administrator = signatureKeygen(fresh(32));
const mallory = signatureKeygen(fresh(32));
const clock = new ManualClock();

let identities: readonly NodeIdentity[];
let descriptor: Descriptor;
let signed: SignedDescriptor;
let events: readonly SignedEvent[];

const revoke = (): ControlBody => ({ kind: 'device-revoke', deviceId: fresh(32), reason: 'test' });

/** A log of nine events, of which eight are in the newest snapshot, signed by somebody. */
function logOf(key: SignatureKeyPair, publicKey = key.publicKey): readonly SignedEvent[] {
  let head: LogHead = EMPTY_LOG;
  return Array.from({ length: 2 * EVERY + 1 }, (_, i) => {
    const body: ControlBody = i % 3 === 0 ? { kind: 'policy', policy: DEFAULT_POLICY } : revoke();
    const event = encodeEvent({
      networkId: descriptor.networkId,
      number: head.number + 1,
      previousHash: head.hash,
      timeMs: clock.now(),
      body,
    });
    head = { number: head.number + 1, hash: eventHash(event) };
    return { event, signatures: [signEvent(event, key.secretKey, publicKey)] };
  });
}

beforeAll(async () => {
  identities = await Promise.all(
    Array.from({ length: NODES }, async (_, i) => loadIdentity(openMemoryStore(), `node-${i + 1}`, fresh)),
  );
  descriptor = {
    networkId: fresh(16),
    version: 1,
    nodes: identities.map((identity) => describeIdentity(identity, ['127.0.0.1:1'], 'test')),
    suites: suites.ids(),
    threshold: 2,
    administrators: [administrator.publicKey],
    administratorThreshold: 1,
  };
  signed = signDescriptor(descriptor, root.secretKey, root.publicKey);
  events = logOf(administrator);
});

interface Member {
  readonly bus: Bus;
  readonly state: ControlState;
  readonly rows: LogRows;
  readonly store: Store;
  readonly exchange: SnapshotExchange;
  readonly log: { readonly event?: string; readonly accused?: string }[];
}

/** A node that holds a log. */
async function member(wire: InProcessNetwork, index: number, held: readonly SignedEvent[]): Promise<Member> {
  const identity = identities[index];
  if (identity === undefined) throw new Error('there is no such node');
  const store = openMemoryStore();
  const rows = new LogRows(store);
  const state = new ControlState(identity, signed, descriptor, suites, EVERY);
  for (const [i, one] of held.entries()) await store.commit(rows.append(i + 1, one));
  await rows.replay(state);
  const log: Member['log'] = [];
  const output = { write: (line: string) => void log.push(JSON.parse(line) as Member['log'][number]) };
  const logger = createLogger({ level: 'debug', clock, output });
  const bus = wire.join(identity.id);
  const effects = { rows: async () => [], enforce: async () => undefined, halted: () => undefined };
  return {
    bus,
    state,
    store,
    rows,
    log,
    exchange: new SnapshotExchange({ bus, clock, logger, store, state, rows, effects }),
  };
}

/** A new node, and four others with these logs. */
async function world(...logs: readonly (readonly SignedEvent[])[]): Promise<Member> {
  const wire = new InProcessNetwork({ clock });
  for (const [i, held] of logs.entries()) await member(wire, i, held);
  const newcomer = await member(wire, NODES - 1, []);
  await newcomer.exchange.begin();
  return newcomer;
}

describe('CTL-9: a new node', () => {
  test('begins with the snapshot that three of five name, whatever the fourth names', async () => {
    const { state } = await world(logOf(mallory), events, events, events);
    expect(state.head).toEqual({
      number: 2 * EVERY,
      hash: eventHash(events[2 * EVERY - 1]?.event ?? fresh(0)),
    });
    expect(state.policyRevision).toBe(7);
    expect([...state.deviceRevocations()]).toHaveLength(5);
  });

  test('begins with none when fewer agree, also when it is the liars who agree', async () => {
    const lie = logOf(mallory);
    expect((await world(events, events, lie, lie)).state.head.number).toBe(0);
    expect((await world(lie, lie, events, events.slice(0, 1))).state.head.number).toBe(0);
  });

  test('takes no event with other signatures while somebody gives the right ones, and reports who gave them', async () => {
    const spoilt = events.map(({ event, signatures }) => ({
      event,
      signatures: signatures.map((one) => ({ ...one, signature: fresh(one.signature.length) })),
    }));
    const { state, rows, log } = await world(spoilt, events, events, events);
    expect(state.head.number).toBe(2 * EVERY);
    expect(await rows.event(2)).toEqual(events[1]);
    const accused = log.filter(({ event }) => event === 'snapshot-false').map((line) => line.accused);
    expect(accused).toEqual(['node-1']);
  });

  test('CTL-3: takes what former administrators signed when enough agree on it, and accuses nobody', async () => {
    const former = logOf(mallory);
    const { state, log } = await world(former, former, former, events);
    expect(state.head.number).toBe(2 * EVERY);
    expect(log.filter(({ event }) => event === 'snapshot-false')).toEqual([]);
  });

  test('is not kept waiting by one of those who agree that gives the same page for ever', async () => {
    const wire = new InProcessNetwork({ clock });
    const [, honest] = await Promise.all([3, 1, 2].map(async (index) => member(wire, index, events)));
    const snapshot = honest?.state.snapshot;
    if (snapshot === undefined) throw new Error('there is no snapshot');
    const lie = wire.join('node-1');
    const { head, hash, numbers } = snapshot;
    let pages = 0;
    let count = 2 ** 50;
    lie.serve('snapshot', async (_, payload) => {
      if (new Reader(payload, 'request').u64() === 0n) {
        return new Writer().u64(head.number).raw(head.hash).raw(hash).u64(count).finish();
      }
      pages += 1;
      if (pages > 100) throw new Error('nobody should ask for so many');
      return encode('symmetra.admin.v1.ListEventsResponse', { events: events.slice(1, 2).map(toNotice) });
    });
    const newcomer = await member(wire, NODES - 1, []);
    await newcomer.exchange.begin();
    expect(newcomer.state.head.number).toBe(2 * EVERY);
    expect(pages).toBe(0);
    await newcomer.bus.close();
    count = numbers.length;
    const other = await member(wire, NODES - 1, []);
    await other.exchange.begin();
    expect(other.state.head.number).toBe(2 * EVERY);
    expect(pages).toBe(2);
    const accused = other.log.filter(({ event }) => event === 'snapshot-false').map((line) => line.accused);
    expect(accused).toEqual(['node-1']);
  });

  test('knows the same snapshot later as those that have the whole log', async () => {
    const { state } = await world(events, events, events, events);
    const whole = new SnapshotLedger(EVERY);
    for (const { event } of events.slice(0, 2 * EVERY)) whole.note(decodeEvent(event), eventHash(event));
    expect(state.snapshot).toEqual(whole.newest);
    expect(state.snapshot?.numbers).toEqual([2, 3, 5, 6, 7, 8]);
  });
});

describe('CTL-9: the history before a snapshot', () => {
  const numbers = [2, 3, 5, 6, 7, 8];
  const base = (): LogHead => ({ number: 2 * EVERY, hash: eventHash(at(2 * EVERY).event) });
  const at = (number: number): SignedEvent => {
    const one = events[number - 1];
    if (one === undefined) throw new Error('there is no such event');
    return one;
  };
  const stateOf = (): ControlState => new ControlState(first(), signed, descriptor, suites, EVERY);
  const first = (): NodeIdentity => {
    const [identity] = identities;
    if (identity === undefined) throw new Error('there is no node');
    return identity;
  };
  const storeApart = async (store: Store, rows: LogRows): Promise<void> => {
    await store.commit(numbers.map((number) => rows.apart(base(), number, at(number))));
  };
  const hash = (): Uint8Array =>
    snapshotHash(
      base(),
      numbers.map((number) => eventHash(at(number).event)),
    );
  const pages = (log: readonly SignedEvent[]) => async (_: string, from: number, limit: number) =>
    log.slice(from - 1, from - 1 + limit);

  async function completed(...logs: readonly (readonly SignedEvent[])[]): Promise<LogRows> {
    const store = openMemoryStore();
    const rows = new LogRows(store);
    await storeApart(store, rows);
    expect(await rows.begin(base(), hash())).toBe(true);
    const fetches = new Map(logs.map((log, i) => [`node-${i + 2}`, pages(log)]));
    const peers = {
      peers: [...fetches.keys()],
      fetch: async (peer: string, from: number, limit: number) =>
        (await fetches.get(peer)?.(peer, from, limit)) ?? [],
    };
    const state = stateOf();
    await rows.replay(state);
    const history = new History({ clock, logger: silent(), state, rows, peers });
    history.start();
    await expect.poll(() => rows.first).toBe(1);
    await history.stop();
    return rows;
  }

  const silent = () => createLogger({ level: 'error', clock, output: { write: () => undefined } });
  const unsigned = () => events.map(({ event }) => ({ event, signatures: [] }));

  test('comes from a node that has the signatures', async () => {
    const rows = await completed(unsigned(), events);
    expect(await rows.range(1, 2 * EVERY)).toEqual(events.slice(0, 2 * EVERY));
  });

  test('does not replace the events of the snapshot by what other nodes give', async () => {
    const rows = await completed(unsigned());
    for (const number of numbers) expect(await rows.event(number)).toEqual(at(number));
    expect((await rows.event(1))?.signatures).toEqual([]);
  });

  test('is read from another process that completed it', async () => {
    const store = openMemoryStore();
    const rows = new LogRows(store);
    await storeApart(store, rows);
    await rows.begin(base(), hash());
    const other = new LogRows(store);
    await other.replay(stateOf());
    await rows.prepend(events.slice(0, 2 * EVERY));
    expect(await other.event(3)).toEqual(at(3));
  });
});

describe('CTL-9: two processes of a node that begin at once', () => {
  const stateOf = async (): Promise<{ state: ControlState; store: Store; rows: LogRows }> => {
    const wire = new InProcessNetwork({ clock });
    const { state, store, rows } = await member(wire, 0, []);
    return { state, store, rows };
  };
  const head = (): LogHead => ({ number: 2, hash: eventHash(events[1]?.event ?? fresh(0)) });
  const second = (): SignedEvent => events[1] ?? { event: fresh(0), signatures: [] };

  test('one that starts meanwhile takes nothing from one that stores a snapshot', async () => {
    const { store, rows } = await stateOf();
    await store.commit([rows.apart(head(), 2, second())]);
    const [identity] = identities;
    if (identity === undefined) throw new Error('there is no node');
    const blank = (): ControlState => new ControlState(identity, signed, descriptor, suites, EVERY);
    await new LogRows(store).replay(blank());
    expect(await rows.begin(head(), snapshotHash(head(), [eventHash(second().event)]))).toBe(true);
    const again = blank();
    await new LogRows(store).replay(again);
    expect(again.head.number).toBe(2);
    expect([...again.deviceRevocations()]).toHaveLength(1);
  });

  test('a log begins with event 1 or with a snapshot, never with both', async () => {
    const { store, rows } = await stateOf();
    const [one] = events;
    if (one === undefined) throw new Error('there is no event');
    expect(await store.commit(rows.append(1, one))).toBe(true);
    expect(await rows.begin(head(), fresh(32))).toBe(false);
    const other = await stateOf();
    expect(await other.rows.begin(head(), fresh(32))).toBe(true);
    expect(await other.store.commit(other.rows.append(1, one))).toBe(false);
  });

  test('a snapshot of which events are missing is found out', async () => {
    const { state, rows } = await stateOf();
    await rows.begin(head(), snapshotHash(head(), [eventHash(second().event)]));
    await expect(rows.replay(state)).rejects.toMatchObject({ code: 'LOG_BROKEN' });
  });
});

describe('CTL-9: a snapshot', () => {
  test('leaves out tokens that have expired by its time, and policies that were replaced', () => {
    const ledger = new SnapshotLedger(EVERY);
    const token = (expiresMs: number): ControlBody => ({
      kind: 'token-create',
      tokenId: fresh(16),
      account: 'test',
      uses: 1,
      expiresMs,
      tags: [],
      secrets: [],
    });
    const policy: ControlBody = { kind: 'policy', policy: DEFAULT_POLICY };
    const bodies = [policy, token(3999), token(4001), policy, revoke(), policy, token(8000), token(9000)];
    for (const [i, body] of bodies.entries()) {
      const event = {
        networkId: fresh(16),
        number: i + 1,
        previousHash: fresh(32),
        timeMs: (i + 1) * 1000,
        body,
      };
      ledger.note(event, fresh(32));
      if (i + 1 === EVERY) expect(ledger.newest?.numbers).toEqual([3, 4]);
      if (i + 1 === EVERY + 3) expect(ledger.newest?.numbers).toEqual([3, 4]);
    }
    expect(ledger.newest?.numbers).toEqual([5, 6, 8]);
  });
});
