import { fromBase32, toBase32 } from '@symmetra/crypto';
import { DEFAULT_POLICY } from '@symmetra/protocol';
import type { ControlBody } from '@symmetra/protocol';
import { linesWithSecrets } from '@symmetra/testing';
import type { MadeLink } from '@symmetra/testing';
import { expect, test } from 'vitest';
import { violationsOf } from './system-checker.js';
import type { Rule } from './system-checker.js';
import type { Entry, History, Named, Seen } from './system-history.js';

const [ALICE, BOB, CAROL] = [idOf(1), idOf(2), idOf(3)];
const POLICY: ControlBody = { kind: 'policy', policy: DEFAULT_POLICY };
const STRICT: ControlBody = { kind: 'policy', policy: { ...DEFAULT_POLICY, requireDirectKem: true } };
const KEY_REVOKED: ControlBody = { kind: 'key-revoke', keyId: Uint8Array.of(0xa1), reason: '' };

/** The id of a device. */
function idOf(number: number): string {
  return toBase32(new Uint8Array(32).fill(number));
}

function entry(device: string, seen: Seen, at = 100): Entry {
  return { at, device, seen };
}

function key(device: string, peer: string, other: Partial<Extract<Seen, { kind: 'key' }>> = {}): Entry {
  return entry(device, { kind: 'key', keyId: 'k1', peer, state: 'active', digest: 'd1', ...other });
}

function stands(stage: number, epoch: number): Entry {
  return entry(ALICE, { kind: 'stands', stage, epochs: { 'node-1': epoch } });
}

/** What a look at a device shows in any case. */
const LOOK: Seen = { kind: 'stands', stage: 2, epochs: {} };

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
  accepted: [{ number: 2, hash: 'h2', body: POLICY }],
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
  [
    'EVENT_LOST',
    'an accepted event that a node lacks',
    { accepted: [{ number: 3, hash: 'h3', body: POLICY }] },
  ],
  ['EVENT_LOST', 'another event in its place', { accepted: [{ number: 2, hash: 'other', body: POLICY }] }],
  [
    'LOGS_DIFFER',
    'a node with a longer log',
    { logs: { 'node-1': ['h1', 'h2', 'h3'], 'node-2': ['h1', 'h2'] } },
  ],
  ['KEY_AFTER_REVOCATION', 'a key asked for by a revoked device', { revoked: [{ device: ALICE, at: 5 }] }],
  ['KEY_AFTER_REVOCATION', 'a key with a revoked device', { revoked: [{ device: BOB, at: 5 }] }],
  [
    'REVOCATION_MISSED',
    'a key that is revoked',
    inTheEnd([erased(ALICE), key(BOB, ALICE, { keyId: 'a1' })], KEY_REVOKED),
  ],
  ['REVOCATION_MISSED', 'a key with a device that is', inTheEnd([key(BOB, ALICE)], revoke(ALICE))],
  [
    'REVOCATION_MISSED',
    'a negotiation with a device that is',
    inTheEnd([begun(), begun(1000)], revoke(ALICE)),
  ],
  ['NEVER_FINISHED', 'a negotiation that nobody ended', inTheEnd([begun(), begun(150_100)])],
  [
    'NEVER_FINISHED',
    'one that ended in the examination only',
    inTheEnd([begun(), begun(150_100), entry(BOB, LOOK, 160_000)]),
  ],
  [
    'NEVER_FINISHED',
    'one with a direct KEM, which every policy allows',
    inTheEnd([begun(), begun(150_100)], STRICT),
  ],
  [
    'NEVER_FINISHED',
    'one under the newest of several descriptors',
    inTheEnd([follows(2), entry(BOB, LOOK), begun(101), begun(160_000)], POLICY, GOOD.descriptors),
  ],
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

/** A device knows why it does not have the key that is revoked any more. */
function erased(device: string): Entry {
  return entry(device, { kind: 'no-key', keyId: 'a1', code: 'KEY_REVOKED' });
}

/** A negotiation of Bob with Alice. */
function begun(at = 100, directKem = true): Entry {
  return entry(BOB, { kind: 'unfinished', keyId: 'a2', peer: ALICE, state: 'pending', directKem }, at);
}

function revoke(device: string): ControlBody {
  return { kind: 'device-revoke', deviceId: fromBase32(device), reason: '' };
}

/** What Bob is seen to have in the end, where nobody lied, when an event was accepted. */
function inTheEnd(
  entries: readonly Entry[],
  body: ControlBody = POLICY,
  descriptors: readonly Named[] = [UNCHANGED],
): Partial<History> {
  const at = Math.max(...entries.map((one) => one.at));
  const others = GOOD.entries.filter(({ seen }) => seen.kind !== 'reported');
  return {
    entries: [...others, entry(BOB, LOOK, 0), ...entries, entry(BOB, LOOK, at)],
    accepted: [{ number: 2, hash: 'h2', body }],
    accused: [],
    liars: [],
    descriptors,
    links: [],
  };
}

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
    inTheEnd([begun(), begun(100_000)]),
    inTheEnd([begun(100, false), begun(150_100, false)], STRICT),
    inTheEnd([begun(), begun(150_100), entry(ALICE, LOOK, 160_000)], revoke(BOB)),
    inTheEnd([erased(ALICE), key(BOB, ALICE, { keyId: 'a1' }), entry(BOB, LOOK, 200)], KEY_REVOKED),
    {
      ...inTheEnd([erased(ALICE), key(BOB, ALICE, { keyId: 'a1' })], KEY_REVOKED),
      descriptors: GOOD.descriptors,
    },
    inTheEnd([begun(101), follows(2), begun(160_000)], POLICY, GOOD.descriptors),
    { ...inTheEnd([begun(), begun(150_100)]), liars: ['node-3'] },
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
