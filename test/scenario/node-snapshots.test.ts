import { beforeAll, describe, expect, test } from 'vitest';
import { InProcessNetwork } from '@symmetra/bus';
import type { Bus } from '@symmetra/bus';
import { signatureKeygen, suites } from '@symmetra/crypto';
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
} from '@symmetra/protocol';
import type { ControlBody, Descriptor, LogHead, SignedDescriptor, SignedEvent } from '@symmetra/protocol';
import { createLogger } from '@symmetra/runtime';
import { openMemoryStore } from '@symmetra/storage';
import { ManualClock, fresh } from '@symmetra/testing';
import { ControlState } from '../../packages/node/src/control/control-state.js';
import { LogRows } from '../../packages/node/src/control/log-rows.js';
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
  for (const [i, one] of held.entries()) await store.commit([rows.append(i + 1, one)]);
  await rows.replay(state);
  const log: Member['log'] = [];
  const output = { write: (line: string) => void log.push(JSON.parse(line) as Member['log'][number]) };
  const logger = createLogger({ level: 'debug', clock, output });
  const bus = wire.join(identity.id);
  const effects = { rows: async () => [], enforce: async () => undefined, halted: () => undefined };
  return { bus, state, log, exchange: new SnapshotExchange({ bus, logger, store, state, rows, effects }) };
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

  test('takes no event that no administrator signed, whoever agrees on it, and reports who gave it', async () => {
    const forged = logOf(mallory, administrator.publicKey);
    const { state, log } = await world(forged, forged, forged, forged);
    expect(state.head.number).toBe(0);
    const accused = log.filter(({ event }) => event === 'snapshot-false').map((line) => line.accused);
    expect(accused).toEqual(['node-1', 'node-2', 'node-3', 'node-4']);
  });

  test('knows the same snapshot later as those that have the whole log', async () => {
    const { state } = await world(events, events, events, events);
    const whole = new SnapshotLedger(EVERY);
    for (const { event } of events.slice(0, 2 * EVERY)) whole.note(decodeEvent(event), eventHash(event));
    expect(state.snapshot).toEqual(whole.newest);
    expect(state.snapshot?.numbers).toEqual([2, 3, 5, 6, 7, 8]);
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
