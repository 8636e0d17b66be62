import { linesWithSecrets } from '@symmetra/testing';
import type { MadeLink } from '@symmetra/testing';
import { expect, test } from 'vitest';
import { violationsOf } from './system-checker.js';
import type { Rule } from './system-checker.js';
import type { Entry, History, Seen } from './system-history.js';

const [ALICE, BOB, CAROL] = ['alice', 'bob', 'carol'];

function entry(device: string, seen: Seen, at = 100): Entry {
  return { at, device, seen };
}

function key(device: string, peer: string, other: Partial<Extract<Seen, { kind: 'key' }>> = {}): Entry {
  return entry(device, { kind: 'key', keyId: 'k1', peer, state: 'active', digest: 'd1', ...other });
}

function stands(stage: number, epoch: number): Entry {
  return entry(ALICE, { kind: 'stands', stage, epochs: { 'node-1': epoch } });
}

/** The descriptor of a system that stays as it is, with all the nodes of the good world. */
const UNCHANGED = { version: 2, nodes: { 'node-1': 'a', 'node-2': 'd' } };

/** A world in which nothing is wrong. */
const GOOD: History = {
  entries: [
    key(ALICE, BOB),
    key(BOB, ALICE),
    entry(ALICE, { kind: 'no-key', keyId: 'k2', code: 'KEY_UNKNOWN' }),
    entry(ALICE, { kind: 'did', task: 'negotiate', began: 10, outcome: 'ok', peer: BOB, keyId: 'k1' }),
    stands(1, 1),
    stands(2, 2),
    entry(ALICE, { kind: 'epoch', groupId: 'g', epochId: 'e', digest: 'd' }),
    entry(BOB, { kind: 'epoch', groupId: 'g', epochId: 'e', digest: 'd' }),
    entry(ALICE, { kind: 'reported', node: 'node-3', reason: 'SHARE_MISMATCH' }),
    entry(ALICE, { kind: 'reported', node: 'node-1', reason: 'DELIVERY_MISSING' }),
    entry(ALICE, { kind: 'exam', task: 'ratchet', code: 'ok' }),
    entry(BOB, { kind: 'exam', task: 'ratchet', code: 'ok' }),
  ],
  accepted: [{ number: 2, hash: 'h2' }],
  revoked: [],
  logs: { 'node-1': ['h1', 'h2'], 'node-2': ['h1', 'h2'] },
  repeatedSeals: [],
  secretLines: [],
  failures: [],
  accused: ['node-3'],
  liars: ['node-3'],
  descriptors: [{ version: 1, nodes: { 'node-1': 'a', 'node-2': 'b', 'node-3': 'c' } }, UNCHANGED],
  links: [
    { node: 'node-1', version: 1, peer: 'node-2', peerKeys: 'b' },
    { node: 'node-1', version: 2, peer: 'node-2', peerKeys: 'd' },
  ],
  processes: [
    { name: 'node-1 machine 0', version: 2 },
    { name: 'node-2 machine 3', version: 2 },
  ],
};

/** What is done to the good world, and the rule that must notice. */
const PLANTED: readonly (readonly [rule: Rule, what: string, change: Partial<History>])[] = [
  ['NOTHING_SEEN', 'nothing happened', { entries: [], accepted: [] }],
  ['KEY_DIFFERS', 'another key at the other end', more(key(BOB, ALICE, { digest: 'd2' }))],
  ['KEY_DIFFERS', 'another key later on', more(key(ALICE, BOB, { digest: 'd2' }))],
  ['KEY_OF_A_THIRD', 'a key with three ends', more(key(CAROL, ALICE))],
  ['EPOCH_DIFFERS', 'another key of an epoch', more(group('g', 'other'))],
  ['EPOCH_DIFFERS', 'an epoch of two groups', more(group('other', 'd'))],
  ['ENDS_DISAGREE', 'a key of which the peer knows nothing', more(key(ALICE, BOB, { keyId: 'k3' }))],
  ['SEAL_REPEATED', 'a nonce that was used again', { repeatedSeals: ['twice'] }],
  ['EVENT_LOST', 'an accepted event that a node lacks', { accepted: [{ number: 3, hash: 'h3' }] }],
  ['EVENT_LOST', 'another event in its place', { accepted: [{ number: 2, hash: 'other' }] }],
  [
    'LOGS_DIFFER',
    'a node with a longer log',
    { logs: { 'node-1': ['h1', 'h2', 'h3'], 'node-2': ['h1', 'h2'] } },
  ],
  ['KEY_AFTER_REVOCATION', 'a key asked for by a revoked device', { revoked: [{ device: ALICE, at: 5 }] }],
  ['KEY_AFTER_REVOCATION', 'a key with a revoked device', { revoked: [{ device: BOB, at: 5 }] }],
  ['STAGE_BACK', 'a stage that went back', { ...more(stands(1, 2)), descriptors: [UNCHANGED], links: [] }],
  ['STAGE_BACK', 'one that went back more often than nodes were lost', more(...stages(2, 1, 2, 1))],
  ['EPOCH_BACK', 'an epoch that went back', more(stands(2, 1))],
  ['EPOCH_BACK', 'a node with other keys that goes back as well', more(...looks('node-2', 3, 0, 4, 2))],
  ['FORMER_NODE', 'a link with a node whose keys are void', { links: [link('node-2', 'b')] }],
  ['FORMER_NODE', 'a link with a node that was removed', { links: [link('node-3', 'c')] }],
  ['FORMER_NODE', 'a chain with a node that was removed', more(follows(2), ...looks('node-3', 1))],
  ['NODE_BEHIND', 'an older descriptor', { processes: [{ name: 'node-1', version: 1 }] }],
  ['NODE_BEHIND', 'a process that is not there', { processes: [{ name: 'node-1', version: 0 }] }],
  ['DEVICE_LOST', 'a device that fails', more(exam('AUTHENTICATION_FAILED'))],
  ['DEVICE_LOST', 'a device whose key stays pending', more(exam('pending'))],
  ['ERROR_UNNAMED', 'a task that failed without a reason', more(did('INTERNAL'))],
  ['ERROR_UNNAMED', 'a warning without one', more(entry(ALICE, { kind: 'warned', code: 'SECRET_WIPED' }))],
  ['ERROR_UNNAMED', 'a node that failed', { failures: ['INTERNAL'] }],
  ['HONEST_ACCUSED', 'an honest node that is accused', more(reported('node-1'))],
  ['HONEST_ACCUSED', 'a node that accuses an honest one', { accused: ['node-1'] }],
  ['SECRET_IN_LOG', 'a log with a secret', { secretLines: ['line'] }],
];

function more(...entries: readonly Entry[]): Partial<History> {
  return { entries: [...GOOD.entries, ...entries] };
}

/** Where Bob stands with a node, at one look after another. */
function looks(node: string, ...epochs: readonly number[]): readonly Entry[] {
  return epochs.map((epoch) => entry(BOB, { kind: 'stands', stage: 2, epochs: { [node]: epoch } }));
}

/** In which stage Bob is, at one look after another. */
function stages(...seen: readonly number[]): readonly Entry[] {
  return seen.map((stage) => entry(BOB, { kind: 'stands', stage, epochs: {} }));
}

function follows(version: number): Entry {
  return entry(BOB, { kind: 'follows', version });
}

function link(peer: string, peerKeys: string): MadeLink {
  return { node: 'node-1', version: 2, peer, peerKeys };
}

function group(groupId: string, digest: string): Entry {
  return entry(CAROL, { kind: 'epoch', groupId, epochId: 'e', digest });
}

function exam(code: string): Entry {
  return entry(ALICE, { kind: 'exam', task: 'negotiate', code });
}

function did(outcome: string): Entry {
  return entry(ALICE, { kind: 'did', task: 'ratchet', began: 1, outcome });
}

function reported(node: string): Entry {
  return entry(ALICE, { kind: 'reported', node, reason: 'SHARE_MISMATCH' });
}

test('the checker of whole systems finds nothing where nothing is wrong', () => {
  expect(violationsOf(GOOD)).toEqual([]);
});

test.each(PLANTED)('%s: %s', (rule, _what, change) => {
  const found = violationsOf({ ...GOOD, ...change }).map((violation) => violation.rule);
  expect(new Set(found)).toEqual(new Set([rule]));
});

test('what need not agree is no violation', () => {
  const changes: readonly Partial<History>[] = [
    more(key(ALICE, CAROL, { keyId: 'k4' })),
    more(key(ALICE, BOB, { keyId: 'k4', state: 'pending' })),
    { ...more(key(ALICE, BOB, { keyId: 'k4' })), revoked: [{ device: BOB, at: 200 }] },
    more(reported('node-3')),
    more(...looks('node-2', 3, 0, 1)),
    more(...stages(2, 1, 2)),
    more(...looks('node-3', 1), follows(2), ...looks('node-2', 0)),
  ];
  for (const change of changes) expect(violationsOf({ ...GOOD, ...change })).toEqual([]);
});

test('a secret is found in a log, whatever surrounds it', () => {
  const digits = 'ab12'.repeat(16);
  const base64 = Buffer.from(digits, 'hex').toString('base64');
  const secrets = new Set([digits]);
  const lines = [`{"key":"${digits}"}`, `ff${digits}00`, digits.toUpperCase(), `{"key":"${base64}"}`];
  expect(linesWithSecrets([...lines, 'nothing', 'f'.repeat(64)], secrets)).toEqual(lines);
});
