import { describe, expect, test } from 'vitest';
import { clusterViolationsOf } from './cluster-checker.js';
import type { ClusterRule } from './cluster-checker.js';
import type { ClusterHappening, Standing } from './cluster-history.js';
import type { Happening } from './fleet-history.js';

const NODES = ['node-1', 'node-2', 'node-3'];

const standing = (stage: string, epoch: number, revoked = false): Standing => ({ stage, epoch, revoked });
const event = (number: number): ClusterHappening => ({
  kind: 'event',
  number,
  event: `event ${number}`,
  applied: ['node-1', 'node-2'],
});
const log = (node: string, ...events: readonly string[]): ClusterHappening => ({ kind: 'log', node, events });
const standings = (node: string, devices: Readonly<Record<string, Standing>>): ClusterHappening => ({
  kind: 'standings',
  node,
  devices,
});
const AT_THE_END = { alice: standing('service', 4), mallory: standing('production', 2, true) };

/** Alice and Mallory are enrolled; Mallory is revoked; all nodes know. */
const HONEST: readonly ClusterHappening[] = [
  event(1),
  { kind: 'not-taken', number: 2, node: 'node-3', code: 'NODE_UNREACHABLE' },
  event(2),
  standings('node-1', { alice: standing('production', 1), mallory: standing('production', 2) }),
  ...NODES.map((node) => log(node, 'event 1', 'event 2')),
  ...NODES.map((node) => standings(node, AT_THE_END)),
];
const DEVICES: readonly (readonly [string, Happening])[] = [
  ['alice', { kind: 'lifecycle', step: 'enrolled' }],
  ['mallory', { kind: 'lifecycle', step: 'enrolled' }],
  ['mallory', { kind: 'revoked' }],
];
/** Names of the seals of two processes. */
const SEALS = [new Uint8Array(32).map((_, i) => i), new Uint8Array(16).fill(99)];

function rulesBroken(history: readonly ClusterHappening[], seals = SEALS): readonly ClusterRule[] {
  const entries = history.map((seen, at) => ({ at, device: '', seen }));
  const devices = DEVICES.map(([device, seen], at) => ({ at, device, seen }));
  return [...new Set(clusterViolationsOf(entries, devices, seals).map(({ rule }) => rule))];
}

const without = (kind: string): readonly ClusterHappening[] => HONEST.filter((seen) => seen.kind !== kind);
const more = (...seen: readonly ClusterHappening[]): readonly ClusterHappening[] => [...HONEST, ...seen];

describe("the checker of a cluster's histories", () => {
  test('finds nothing in an honest one', () => {
    expect(rulesBroken(HONEST)).toEqual([]);
  });

  test.each<[string, ClusterRule, readonly ClusterHappening[]]>([
    ['no event at all', 'NOTHING_SEEN', without('event')],
    ['nobody looked at the logs', 'NOTHING_SEEN', without('log')],
    ['nobody looked at the devices', 'NOTHING_SEEN', without('standings')],
    ['an event that a node lacks', 'EVENT_LOST', more(log('node-2', 'event 1'))],
    ['another event in its place', 'EVENT_LOST', more(log('node-2', 'event 2', 'event 1'))],
    [
      'an event that one node alone has',
      'EVENTS_DIFFER',
      more(log('node-3', 'event 1', 'event 2', 'event 3')),
    ],
    [
      'an earlier stage',
      'STAGE_BACK',
      more(standings('node-1', { ...AT_THE_END, alice: standing('bootstrap', 5) })),
    ],
    [
      'an earlier epoch',
      'STAGE_BACK',
      more(standings('node-1', { ...AT_THE_END, alice: standing('service', 3) })),
    ],
    [
      'a device that a node forgot',
      'STANDING_LOST',
      more(standings('node-2', { mallory: AT_THE_END.mallory })),
    ],
    [
      'a revocation that a node forgot',
      'REVOCATION_LOST',
      more(standings('node-2', { ...AT_THE_END, mallory: standing('production', 2) })),
    ],
    [
      'a device that nobody revoked',
      'REVOCATION_LOST',
      more(standings('node-2', { ...AT_THE_END, alice: standing('service', 4, true) })),
    ],
  ])('names %s', (_what, rule, history) => {
    expect(rulesBroken(history)).toContain(rule);
  });

  test('names a key and nonce that another process used before', () => {
    expect(rulesBroken(HONEST, [...SEALS, new Uint8Array(16).fill(99)])).toEqual(['SEAL_REPEATED']);
  });
});
