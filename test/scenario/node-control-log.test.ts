import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { InProcessNetwork } from '@symmetra/bus';
import type { Bus } from '@symmetra/bus';
import { SymmetraError, signatureKeygen, suites } from '@symmetra/crypto';
import type { SignatureKeyPair } from '@symmetra/crypto';
import { describeIdentity, loadIdentity } from '@symmetra/node';
import type { NodeIdentity } from '@symmetra/node';
import { EMPTY_LOG, encodeEvent, eventHash, signDescriptor, signEvent } from '@symmetra/protocol';
import type { Descriptor, LogHead, SignedDescriptor, SignedEvent } from '@symmetra/protocol';
import { encode } from '@symmetra/rpc';
import { createLogger } from '@symmetra/runtime';
import { openMemoryStore } from '@symmetra/storage';
import type { Store } from '@symmetra/storage';
import { ManualClock, fresh } from '@symmetra/testing';
import { AuditLog } from '../../packages/node/src/audit/audit-log.js';
import { ControlLog } from '../../packages/node/src/control/control-log.js';
import { ControlState } from '../../packages/node/src/control/control-state.js';
import { encodeHeartbeat } from '../../packages/node/src/control/heartbeat.js';
import { Heartbeats } from '../../packages/node/src/control/heartbeats.js';
import { LogRows } from '../../packages/node/src/control/log-rows.js';
import { toNotice } from '../../packages/node/src/control/notice.js';
import { PeerLogs } from '../../packages/node/src/control/peer-logs.js';

const NODES = 5;
const SECOND_MS = 1000;
const root = signatureKeygen(fresh(32));
const administrator = signatureKeygen(fresh(32));
const former = signatureKeygen(fresh(32));

let identities: readonly NodeIdentity[];
let descriptor: Descriptor;
let signed: SignedDescriptor;
let clock: ManualClock;
let wire: InProcessNetwork;

beforeAll(async () => {
  identities = await Promise.all(
    Array.from({ length: NODES }, async (_, i) => loadIdentity(openMemoryStore(), `node-${i + 1}`, fresh)),
  );
  descriptor = {
    networkId: fresh(16),
    version: 2,
    nodes: identities.map((identity) => describeIdentity(identity, ['127.0.0.1:1'], 'test')),
    suites: suites.ids(),
    threshold: 2,
    administrators: [administrator.publicKey],
    administratorThreshold: 1,
  };
  signed = signDescriptor(descriptor, root.secretKey, root.publicKey);
});

beforeEach(() => {
  clock = new ManualClock();
  wire = new InProcessNetwork({ clock });
});

/** Events that follow a head, each signed by one of these. */
function logOf(keys: readonly SignatureKeyPair[], from: LogHead = EMPTY_LOG): readonly SignedEvent[] {
  let head = from;
  return keys.map((key) => {
    const event = encodeEvent({
      networkId: descriptor.networkId,
      number: head.number + 1,
      previousHash: head.hash,
      timeMs: clock.now(),
      body: { kind: 'device-revoke', deviceId: fresh(32), reason: 'test' },
    });
    head = { number: head.number + 1, hash: eventHash(event) };
    return { event, signatures: [signEvent(event, key.secretKey, key.publicKey)] };
  });
}

async function turns(): Promise<void> {
  for (let i = 0; i < 20; i++) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

async function pass(seconds: number): Promise<void> {
  for (let i = 0; i < seconds; i++) {
    clock.advance(SECOND_MS);
    await turns();
  }
}

interface Setting {
  readonly store?: Store;
  readonly isShared?: boolean;
  readonly held?: readonly SignedEvent[];
  readonly enforce?: () => Promise<void>;
}

/** A process of a node, as far as the control log goes. */
async function processOf(index: number, setting: Setting = {}) {
  const { store = openMemoryStore(), isShared = false, held = [], enforce = async () => undefined } = setting;
  const identity = identities[index];
  if (identity === undefined) throw new Error('there is no such node');
  const bus: Bus = wire.join(identity.id, isShared);
  const rows = new LogRows(store);
  const state = new ControlState(identity, signed, descriptor, suites);
  for (const [i, one] of held.entries()) await store.commit(rows.append(i + 1, one));
  await rows.replay(state);
  const lines: { readonly event?: string; readonly accused?: string; readonly sequence?: number }[] = [];
  const output = { write: (line: string) => void lines.push(JSON.parse(line) as (typeof lines)[number]) };
  const logger = createLogger({ level: 'debug', clock, output });
  const effects = { rows: async () => [], enforce, halted: () => undefined };
  const audit = new AuditLog(logger);
  const parts = { bus, clock, logger, store, state, rows, effects, audit, siblings: { isShared } };
  const log = new ControlLog({ ...parts, othersAt: async (number) => peers.eventsAt(number) });
  await log.begin(async () => undefined);
  log.start();
  const peers: PeerLogs = new PeerLogs({ ...parts, log });
  return { ...parts, log, peers, lines };
}

type Process = Awaited<ReturnType<typeof processOf>>;

const heartbeatsOf = (process: Process): Heartbeats =>
  new Heartbeats({
    ...process,
    maxStalenessMs: 5 * SECOND_MS,
    heartbeatMs: SECOND_MS,
    catchUp: async (peer) => process.peers.catchUp(peer),
    onChange: () => undefined,
    onIsolated: () => undefined,
    onDescriptor: () => undefined,
  });

describe('CTL-3: a receipt', () => {
  test('is not given while the event is not enforced, however often it is brought', async () => {
    let isDown = true;
    let enforced = 0;
    const enforce = async (): Promise<void> => {
      if (isDown) throw new SymmetraError('STORE_UNAVAILABLE', 'not now');
      enforced += 1;
    };
    const { log, state } = await processOf(0, { enforce });
    const [one, two] = logOf([administrator, administrator]) as [SignedEvent, SignedEvent];
    for (const event of [one, one, two]) {
      await expect(log.apply(event)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    }
    expect(state.head.number).toBe(2);
    isDown = false;
    await pass(2);
    expect(enforced).toBe(2);
    await log.apply(two);
    expect(enforced).toBe(2);
    await log.stop();
  });
});

describe('CTL-3: a second valid event of a number', () => {
  test('is reported once and kept, and halts nobody while fewer than k nodes stand on it', async () => {
    const held = logOf([administrator]);
    const [other] = logOf([administrator]) as [SignedEvent];
    const own = await processOf(0, { held });
    await processOf(1, { held: [other] });
    await processOf(2, { held });
    for (let i = 0; i < 3; i++) {
      await expect(own.log.apply(other)).rejects.toMatchObject({ code: 'EVENT_CONFLICT' });
      await pass(6);
    }
    expect(own.state.halted).toBe(false);
    expect(own.lines.filter(({ event }) => event === 'control-conflict')).toMatchObject([{ sequence: 1 }]);
    expect(await own.rows.keepConflict(1, other)).toBe(false);
    await own.log.stop();
  });

  test('halts a node when k others stand on it, over a restart too', async () => {
    const [other] = logOf([administrator]) as [SignedEvent];
    const own = await processOf(0, { held: logOf([administrator]) });
    for (const index of [1, 2]) await processOf(index, { held: [other] });
    await expect(own.log.apply(other)).rejects.toMatchObject({ code: 'EVENT_CONFLICT' });
    await pass(1);
    expect(own.state.halted).toBe(true);
    expect(await own.rows.firstFork()).toBe(1);
    await own.log.stop();
  });
});

describe('CTL-3: a node of two processes', () => {
  test('halts whole: a fork that one stored is found by the other, which is fresh no more', async () => {
    const store = openMemoryStore();
    const held = logOf([administrator]);
    const one = await processOf(0, { store, isShared: true, held });
    const other = await processOf(0, { store, isShared: true });
    const beats = heartbeatsOf(other);
    for (const index of [1, 2]) heartbeatsOf(await processOf(index, { held }));
    await beats.ensure();
    expect(beats.isFresh).toBe(true);
    await one.rows.keepFork(1, logOf([administrator])[0] as SignedEvent);
    await pass(1);
    expect([one.state.halted, other.state.halted]).toEqual([true, true]);
    expect(beats.isFresh).toBe(false);
    await expect(beats.ensure()).rejects.toMatchObject({ code: 'NODE_HALTED' });
    await Promise.all([one.log.stop(), other.log.stop()]);
    beats.stop();
  });

  test('has in both what one of them stored', async () => {
    const store = openMemoryStore();
    const one = await processOf(0, { store, isShared: true });
    const other = await processOf(0, { store, isShared: true });
    await one.log.apply(logOf([administrator])[0] as SignedEvent);
    await pass(1);
    expect(other.state.head.number).toBe(1);
    await Promise.all([one.log.stop(), other.log.stop()]);
  });
});

describe('CTL-3: administrators that a newer descriptor replaced', () => {
  test('their events are taken when three of five nodes have them in force, and nobody is accused', async () => {
    const held = logOf([former, former, administrator, former, administrator]);
    for (const index of [1, 2, 3]) await processOf(index, { held });
    const newcomer = await processOf(4);
    expect(await newcomer.peers.catchUp('node-2')).toBe('shown');
    expect(newcomer.state.head.number).toBe(5);
    expect(newcomer.peers.forged).toBe(0);
    await newcomer.log.stop();
  });

  test('not on the word of two, nor what is handed on by itself, nor another event of that number', async () => {
    const held = logOf([former, former]);
    for (const index of [1, 2]) await processOf(index, { held });
    await processOf(3, { held: logOf([former, former]) });
    const newcomer = await processOf(4);
    await newcomer.peers.catchUpAll();
    expect(newcomer.state.head.number).toBe(0);
    await expect(newcomer.log.apply(held[0] as SignedEvent)).rejects.toMatchObject({ code: 'BAD_SIGNATURE' });
    await newcomer.log.stop();
  });
});

describe('CTL-7: a node that can not fetch what others state', () => {
  const stating = (index: number, head: () => LogHead): Bus => {
    const bus = wire.join(`node-${index + 1}`);
    bus.serve('heartbeat', async () =>
      encodeHeartbeat({ head: head(), clockMs: clock.now(), descriptorVersion: 2 }),
    );
    return bus;
  };

  test('is stale for as long as k of them state it, and disbelieves fewer after a while', async () => {
    const high = { number: 1, hash: fresh(32) };
    let second: LogHead = high;
    stating(1, () => high);
    stating(2, () => second);
    for (const index of [3, 4]) stating(index, () => EMPTY_LOG);
    const own = await processOf(0);
    const beats = heartbeatsOf(own);
    beats.start();
    await pass(8);
    expect(beats.isFresh).toBe(false);
    second = EMPTY_LOG;
    await pass(8);
    expect(beats.isFresh).toBe(true);
    beats.stop();
    await own.log.stop();
  });

  test('CTL-7: a node that stops, and so reads in no log any more, accuses nobody of showing nothing', async () => {
    const [event] = logOf([administrator]) as [SignedEvent];
    const other = await processOf(1, { held: [event] });
    const own = await processOf(0);
    heartbeatsOf(own);
    own.peers.stop();
    const head = { number: 1, hash: eventHash(event.event) };
    const beat = encodeHeartbeat({ head, clockMs: clock.now(), descriptorVersion: 2 });
    await other.bus.request('node-1', 'heartbeat', beat, { timeoutMs: SECOND_MS });
    expect(own.state.head.number).toBe(0);
    expect(own.lines.filter(({ accused }) => accused !== undefined)).toEqual([]);
    await Promise.all([own.log.stop(), other.log.stop()]);
  });

  test('CTL-7: tells once of a node that states another number each time and answers nothing, and does not accuse it', async () => {
    let number = 0;
    stating(1, () => ({ number: (number += 1), hash: fresh(32) }));
    for (const index of [2, 3, 4]) stating(index, () => EMPTY_LOG);
    const own = await processOf(0);
    const beats = heartbeatsOf(own);
    beats.start();
    await pass(30);
    const told = own.lines.filter(({ event }) => event === 'head-unanswered');
    expect(told).toMatchObject([{ peer: 'node-2', sequence: 1 }]);
    expect(own.lines.filter(({ accused }) => accused !== undefined)).toEqual([]);
    beats.stop();
    await own.log.stop();
  });

  test('CTL-7: does not take what was shown before for the answer to what is stated now', async () => {
    const events = logOf([administrator, administrator]);
    const heads = events.map(({ event }, i) => ({ number: i + 1, hash: eventHash(event) }));
    let stated = heads[0] as LogHead;
    const bus = stating(1, () => stated);
    for (const index of [2, 3, 4]) stating(index, () => EMPTY_LOG);
    let answer: () => void = () => undefined;
    let asked = 0;
    const page = (shown: readonly SignedEvent[]): Uint8Array =>
      encode('symmetra.admin.v1.ListEventsResponse', { events: shown.map(toNotice) });
    bus.serve('log', async () => {
      asked += 1;
      if (asked === 1) return page(events.slice(0, 1));
      // The node reads its log, which ends here; the answer is long on its way.
      if (asked > 2) return page(events.slice(1));
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
      return page([]);
    });
    const own = await processOf(0);
    const beats = heartbeatsOf(own);
    const rounds = [beats.ask()];
    await turns();
    stated = heads[1] as LogHead;
    clock.advance(SECOND_MS);
    await Promise.all(rounds);
    rounds.push(beats.ask());
    await turns();
    answer();
    await Promise.all(rounds);
    expect(own.state.head.number).toBe(2);
    expect(own.lines.filter(({ event }) => event === 'head-unshown')).toEqual([]);
    beats.stop();
    await own.log.stop();
  });

  test('CTL-7: reports nobody when it stops and reads nothing any more', async () => {
    stating(1, () => ({ number: 1, hash: fresh(32) }));
    const own = await processOf(0);
    const beats = heartbeatsOf(own);
    own.peers.stop();
    await beats.ask();
    expect(own.lines.filter(({ event }) => event === 'head-unshown')).toEqual([]);
    beats.stop();
    await own.log.stop();
  });
});
