import { describe, expect, test } from 'vitest';
import { groupViolationsOf } from './group-fleet-checker.js';
import type { GroupRule } from './group-fleet-checker.js';
import type { GroupEntry, GroupHappening, Held } from './group-fleet-history.js';

type Planted = readonly [device: string, seen: GroupHappening];

const SECOND = 1000;
const BOUND_MS = 10 * SECOND;

const held = (epoch: number, key = `key ${epoch}`, epochId = `id ${epoch}`): Held => ({
  epoch,
  epochId,
  fingerprint: `fingerprint of ${key}`,
  digest: `digest of ${key}`,
});
const holds = (...of: Parameters<typeof held>): GroupHappening => ({
  kind: 'holds',
  newest: true,
  ...held(...of),
});
const final = (members: number, ...of: Parameters<typeof held>): GroupHappening => ({
  kind: 'final',
  members,
  ...held(...of),
});
const opened = (text: string, sender: string, epoch: number): GroupHappening => ({
  kind: 'opened',
  text,
  sender: `id of ${sender}`,
  epoch,
  epochId: `id ${epoch}`,
});
const everybody = (seen: GroupHappening, ...names: readonly string[]): readonly Planted[] =>
  names.map((name) => [name, seen]);

/**
 * Alice, Bob, Carol and Mallory make a group; Carol leaves, Mallory is revoked, Carol comes back, Dave joins. An entry
 * a second.
 */
const HONEST: readonly Planted[] = [
  ...['alice', 'bob', 'carol', 'dave', 'mallory'].map((name): Planted => [
    name,
    { kind: 'opened-state', id: `id of ${name}` },
  ]),
  ...everybody({ kind: 'in', above: 0 }, 'alice', 'bob', 'carol', 'mallory'),
  ...everybody(holds(1), 'alice', 'bob', 'carol', 'mallory'),
  ['alice', { kind: 'sealing', text: 'hello' }],
  ['alice', { kind: 'sealed', text: 'hello', epochId: 'id 1' }],
  ...everybody(opened('hello', 'alice', 1), 'bob', 'carol', 'mallory'),
  ['alice', { kind: 'sealing', text: 'never sent' }],
  ['carol', { kind: 'left' }],
  ...everybody(holds(2), 'alice', 'bob', 'mallory'),
  ['carol', { kind: 'out', from: 2 }],
  ['mallory', { kind: 'revoked', boundMs: BOUND_MS }],
  ...everybody(holds(3), 'alice', 'bob'),
  ['mallory', { kind: 'out', from: 3 }],
  ['mallory', { kind: 'did', task: 'connect', outcome: 'DEVICE_REVOKED' }],
  ...everybody({ kind: 'in', above: 3 }, 'carol', 'dave'),
  ...everybody(holds(5), 'alice', 'bob', 'carol', 'dave'),
  ['dave', { kind: 'sealing', text: 'the last one' }],
  ...everybody(opened('the last one', 'dave', 5), 'alice', 'bob', 'carol', 'dave'),
  ...everybody(final(4, 5), 'alice', 'bob', 'carol', 'dave'),
];

function rulesBroken(history: readonly Planted[]): readonly GroupRule[] {
  const entries = history.map(([device, seen], i): GroupEntry => ({ at: i * SECOND, device, seen }));
  return [...new Set(groupViolationsOf(entries).map(({ rule }) => rule))];
}

/** The honest history, with something after the first entry that fits. */
function planted(after: (entry: Planted) => boolean, ...more: readonly Planted[]): readonly Planted[] {
  const place = HONEST.findIndex(after) + 1;
  expect(place).toBeGreaterThan(0);
  return [...HONEST.slice(0, place), ...more, ...HONEST.slice(place)];
}

const isOut =
  (name: string) =>
  ([device, { kind }]: Planted): boolean =>
    device === name && kind === 'out';
const isHolding =
  (name: string, number: number) =>
  ([device, seen]: Planted): boolean =>
    device === name && seen.kind === 'holds' && seen.epoch === number;
const without = (gone: (entry: Planted) => boolean): readonly Planted[] =>
  HONEST.filter((entry) => !gone(entry));

describe("the checker of a group's histories", () => {
  test('finds nothing in an honest one', () => {
    expect(rulesBroken(HONEST)).toEqual([]);
  });

  test.each<[string, GroupRule, readonly Planted[]]>([
    ['no key at all', 'NOTHING_SEEN', without(([, { kind }]) => kind === 'holds')],
    ['no message at all', 'NOTHING_SEEN', without(([, { kind }]) => kind === 'opened')],
    ['nobody looked at the end', 'NOTHING_SEEN', without(([, { kind }]) => kind === 'final')],
    ['two keys of one epoch id', 'KEY_DIFFERS', [...HONEST, ['bob', holds(5, 'another')]]],
    ['an epoch that was left', 'EPOCH_BACK', [...HONEST, ['bob', holds(3)]]],
    ['an epoch before a device came', 'HELD_BEFORE_JOINING', [...HONEST, ['dave', holds(3)]]],
    [
      'an epoch after a device was put out',
      'HELD_WHILE_OUT',
      planted(isHolding('bob', 5), ['mallory', holds(4, 'key 4')]),
    ],
    [
      'an epoch that began when a device was revoked, whatever its number',
      'HELD_WHILE_OUT',
      planted(isHolding('bob', 3), ['mallory', holds(2, 'key 2', 'id of another 2')]),
    ],
    [
      'an epoch that a device held when it had left',
      'HELD_WHILE_OUT',
      planted(isHolding('alice', 2), ['carol', holds(1)]),
    ],
    ['a device at the end that is no member', 'HELD_WHILE_OUT', [...HONEST, ['mallory', final(4, 2)]]],
    ['a revoked device that the group never did without', 'REVOKED_TOO_LONG', without(isOut('mallory'))],
    [
      'a revoked device that was in the group for too long',
      'REVOKED_TOO_LONG',
      planted(
        ([, { kind }]) => kind === 'revoked',
        ...Array.from({ length: 10 }, (): Planted => ['alice', { kind: 'did', task: 'wait', outcome: 'ok' }]),
      ),
    ],
    ['a message that nobody sealed', 'MESSAGE_FORGED', [...HONEST, ['bob', opened('hi', 'alice', 5)]]],
    [
      "a message in another member's name",
      'MESSAGE_FORGED',
      [...HONEST, ['dave', opened('hello', 'bob', 1)]],
    ],
    ['a message in another epoch', 'MESSAGE_FORGED', [...HONEST, ['dave', opened('hello', 'alice', 5)]]],
    ['a message that came twice', 'MESSAGE_TWICE', [...HONEST, ['bob', opened('hello', 'alice', 1)]]],
    [
      'a sender that was in no such epoch',
      'SENDER_OUTSIDE',
      [
        ...HONEST,
        ['mallory', { kind: 'sealing', text: 'back again' }],
        ['bob', opened('back again', 'mallory', 5)],
      ],
    ],
    [
      'a member in another epoch at the end',
      'MEMBERS_DIFFER',
      HONEST.map((entry) => (isFinal('bob')(entry) ? ['bob', final(4, 3)] : entry)),
    ],
    [
      'another number of members at the end',
      'MEMBERS_DIFFER',
      HONEST.map((entry) => (isFinal('bob')(entry) ? ['bob', final(5, 5)] : entry)),
    ],
    ['a member that holds nothing at the end', 'DEVICE_LOST', without(isFinal('carol'))],
    [
      'a member that hears nothing at the end',
      'DEVICE_LOST',
      without(([device, seen]) => device === 'carol' && seen.kind === 'opened' && seen.epoch === 5),
    ],
    [
      'an honest node or member that is accused',
      'HONEST_ACCUSED',
      [...HONEST, ['bob', { kind: 'warned', code: 'AUTHENTICATION_FAILED' }]],
    ],
    [
      'an error without a name',
      'ERROR_UNNAMED',
      [...HONEST, ['bob', { kind: 'did', task: 'rotate', outcome: 'INTERNAL' }]],
    ],
    [
      'a warning of a part underneath',
      'ERROR_UNNAMED',
      [...HONEST, ['bob', { kind: 'warned', code: 'STORE_CLOSED' }]],
    ],
  ])('names %s', (_what, rule, history) => {
    expect(rulesBroken(history)).toContain(rule);
  });
});

function isFinal(name: string): (entry: Planted) => boolean {
  return ([device, { kind }]) => device === name && kind === 'final';
}
