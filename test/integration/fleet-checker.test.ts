import { suiteTable, suites } from '@symmetra/crypto';
import { describe, expect, test } from 'vitest';
import { violationsOf } from './fleet-checker.js';
import type { Rule } from './fleet-checker.js';
import { FleetHistory } from './fleet-history.js';
import type { Happening } from './fleet-history.js';
import { SealWatch } from './fleet-seals.js';

type Planted = readonly [device: string, seen: Happening];

const key = (keyId: string, peer: string, fingerprint = `f-${keyId}`): Happening => ({
  kind: 'key',
  keyId,
  peer,
  fingerprint,
});
const holds = (keyId: string, peer: string, digest = `d-${keyId}`): Happening => ({
  kind: 'holds',
  keyId,
  peer,
  fingerprint: `f-${keyId}`,
  digest,
});
const negotiated = (began: number, peer: string, outcome: string, keyId?: string): Happening => ({
  kind: 'did',
  task: 'negotiate',
  began,
  outcome,
  peer,
  ...(keyId !== undefined && { keyId }),
});

/** Alice and Bob agree; Mallory did too, was revoked, and is refused. */
const HONEST: readonly Planted[] = [
  ['alice', { kind: 'lifecycle', step: 'enrolled' }],
  ['bob', { kind: 'lifecycle', step: 'enrolled' }],
  ['mallory', { kind: 'lifecycle', step: 'enrolled' }],
  ['alice', { kind: 'epochs', epochs: { 'node-1': 1 } }],
  ['alice', key('k1', 'mallory')],
  ['mallory', key('k1', 'alice')],
  ['mallory', { kind: 'revoked' }],
  ['alice', { kind: 'told', revoked: 'mallory' }],
  ['alice', negotiated(8, 'mallory', 'PEER_REVOKED')],
  ['mallory', { kind: 'refusal', task: 'negotiate', code: 'DEVICE_REVOKED' }],
  ['alice', { kind: 'epochs', epochs: { 'node-1': 2 } }],
  ['alice', { kind: 'psk', role: 'client', identity: 'i1' }],
  ['alice', { kind: 'reported', reason: 'DELIVERY_MISSING', node: 'node-1' }],
  ['alice', key('k2', 'bob')],
  ['bob', key('k2', 'alice')],
  ['alice', { kind: 'last', peer: 'bob', keyId: 'k2' }],
  ['alice', holds('k2', 'bob')],
  ['bob', holds('k2', 'alice')],
];

function rulesBroken(planted: readonly Planted[], repeatedSeals: readonly string[] = []): readonly Rule[] {
  const history = new FleetHistory();
  for (const [device, seen] of planted) history.note(device, seen);
  return [...new Set(violationsOf(history.entries, repeatedSeals).map(({ rule }) => rule))];
}

const without = (...kinds: readonly string[]): readonly Planted[] =>
  HONEST.filter(([, { kind }]) => !kinds.includes(kind));

describe("the checker of a fleet's history", () => {
  test('finds nothing in an honest one, nor where one end holds no key', () => {
    expect(rulesBroken(HONEST)).toEqual([]);
    expect(rulesBroken([...HONEST, ['alice', key('k3', 'bob')]])).toEqual([]);
  });

  test.each<[string, Rule, readonly Planted[]]>([
    ['no key at all', 'NOTHING_SEEN', without('key', 'holds', 'last')],
    ['nobody looked at the end', 'NOTHING_SEEN', without('holds')],
    ['another fingerprint at one end', 'KEY_DIFFERS', [...HONEST, ['bob', key('k2', 'alice', 'other')]]],
    ['other bytes at one end', 'KEY_DIFFERS', [...HONEST, ['bob', holds('k2', 'alice', 'other')]]],
    ['a third device with the key', 'KEY_OF_A_THIRD', [...HONEST, ['carol', key('k2', 'alice')]]],
    [
      'a PSK twice, with a restart between',
      'PSK_REPEATED',
      [
        ...HONEST,
        ['alice', { kind: 'lifecycle', step: 'opened' }],
        ['alice', { kind: 'psk', role: 'client', identity: 'i1' }],
      ],
    ],
    [
      'an epoch that was left',
      'EPOCH_BACK',
      [...HONEST, ['alice', { kind: 'epochs', epochs: { 'node-1': 1 } }]],
    ],
    ['an error without a name', 'ERROR_UNNAMED', [...HONEST, ['alice', negotiated(18, 'bob', 'INTERNAL')]]],
    [
      'a warning of a part underneath',
      'ERROR_UNNAMED',
      [...HONEST, ['alice', { kind: 'warned', code: 'STORE_CLOSED' }]],
    ],
    [
      'an honest node that is accused',
      'HONEST_ACCUSED',
      [...HONEST, ['alice', { kind: 'reported', reason: 'SHARE_MISMATCH', node: 'node-1' }]],
    ],
    [
      'a key with a peer of which a device knows that it is revoked',
      'KEY_AFTER_REVOCATION',
      [...HONEST, ['alice', key('k4', 'mallory')]],
    ],
    [
      'a negotiation that began after the revocation and left a key at the other end',
      'KEY_AFTER_REVOCATION',
      [...HONEST, ['bob', negotiated(18, 'mallory', 'pending', 'k5')], ['mallory', key('k5', 'bob')]],
    ],
    [
      'a device that takes a key after it was told of its own end',
      'KEY_AFTER_REVOCATION',
      [...HONEST, ['mallory', { kind: 'told', revoked: 'mallory' }], ['mallory', key('k6', 'bob')]],
    ],
    [
      'a revoked device that is served',
      'REVOKED_NOT_REFUSED',
      [...HONEST, ['mallory', { kind: 'did', task: 'ratchet', began: 18, outcome: 'ok' }]],
    ],
    [
      'a revoked device that is refused for another reason',
      'REVOKED_NOT_REFUSED',
      [...HONEST, ['mallory', { kind: 'refusal', task: 'connect', code: 'NODE_UNREACHABLE' }]],
    ],
    ['a revoked device that nobody tried', 'REVOKED_NOT_REFUSED', without('refusal')],
    ['a key of a revoked peer', 'KEY_OF_REVOKED_KEPT', [...HONEST, ['alice', holds('k1', 'mallory')]]],
    [
      'a device that agrees on nothing at the end',
      'DEVICE_LOST',
      [...HONEST, ['carol', { kind: 'lifecycle', step: 'enrolled' }]],
    ],
    [
      'a last key that one end does not hold',
      'DEVICE_LOST',
      HONEST.filter(([device, { kind }]) => device !== 'bob' || kind !== 'holds'),
    ],
  ])('names %s', (_what, rule, planted) => {
    expect(rulesBroken(planted)).toContain(rule);
  });

  test('names a nonce that a key used twice', () => {
    const table = suiteTable([{ ...suites.get(1) }]);
    const suite = table.get(1);
    const watch = new SealWatch(table);
    const [first, second] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
    const empty = new Uint8Array(0);
    suite.seal(first, new Uint8Array(12), empty, empty);
    suite.seal(second, new Uint8Array(12), empty, empty);
    suite.seal(first, new Uint8Array(12).fill(1), empty, empty);
    expect(rulesBroken(HONEST, watch.repeated)).toEqual([]);
    suite.seal(first, new Uint8Array(12), empty, empty);
    expect(rulesBroken(HONEST, watch.repeated)).toEqual(['SEAL_REPEATED']);
    watch.end();
    suite.seal(first, new Uint8Array(12), empty, empty);
    expect(watch).toMatchObject({ size: 3, repeated: { length: 1 } });
  });
});
