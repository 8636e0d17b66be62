import { signatureKeygen, suites } from '@symmetra/crypto';
import {
  MAX_BROADCAST,
  encodeEpochBroadcast,
  encodeGroupDue,
  rangesOf,
  readBroadcast,
  signBroadcast,
} from '@symmetra/protocol';
import type { Descriptor, DueReason, EpochBroadcast, PlaceRange } from '@symmetra/protocol';
import { Prng } from '@symmetra/testing';
import { describe, expect, test } from 'vitest';
import { NODE_IDS, createdGroup, deviceOf, notice } from './group-world.js';
import { CONTEXT, NETWORK_ID, codeOf, flipped } from './protocol-world.js';

const PAIRS = new Map(NODE_IDS.map((id) => [id, signatureKeygen(new Prng(`signer ${id}`).bytes(32))]));

const DESCRIPTOR: Descriptor = {
  networkId: NETWORK_ID,
  version: 7,
  nodes: [...PAIRS].map(([id, { publicKey }]) => ({
    id,
    addresses: [],
    kemKeys: [],
    signingKey: publicKey,
    operator: id,
  })),
  suites: [1],
  threshold: 2,
  administrators: [],
  administratorThreshold: 1,
};

const { scene } = createdGroup(suites.get(1), ['alice', 'bob', 'carol', 'dave', 'eve']);
const [FIRST] = scene.next({ removed: ['bob', 'carol'], added: ['frank'] });
if (!FIRST) throw new Error('the node broadcasts');
const BROADCAST: EpochBroadcast = FIRST;

function content(changed: Partial<EpochBroadcast> = {}): Uint8Array {
  const bytes = encodeEpochBroadcast(CONTEXT, { ...BROADCAST, ...changed });
  if (!bytes) throw new Error('the broadcast is short');
  return bytes;
}

function read(bytes: Uint8Array, signer: (typeof NODE_IDS)[number] = 'amsterdam'): unknown {
  const pair = PAIRS.get(signer);
  if (!pair) throw new Error('the node has a key');
  return readBroadcast(CONTEXT, DESCRIPTOR, bytes, signBroadcast(bytes, pair.secretKey));
}

describe('GRP-7: a broadcast', () => {
  test('is read as it was written', () => {
    expect(BROADCAST.vacated).toEqual([{ first: 1, count: 2 }]);
    expect(BROADCAST.taken).toEqual([{ first: 1, count: 1 }]);
    expect(read(content())).toEqual(BROADCAST);
  });

  test('is believed with the signature of the node that it names only', () => {
    expect(codeOf(() => read(content(), 'bern'))).toBe('BAD_SIGNATURE');
    expect(codeOf(() => read(content({ nodeId: 'bern' })))).toBe('BAD_SIGNATURE');
    expect(codeOf(() => read(content({ nodeId: 'delhi' })))).toBe('NODE_UNKNOWN');
    const signature = signBroadcast(
      content(),
      (PAIRS.get('amsterdam') ?? { secretKey: NETWORK_ID }).secretKey,
    );
    expect(codeOf(() => readBroadcast(CONTEXT, DESCRIPTOR, content(), flipped(signature)))).toBe(
      'BAD_SIGNATURE',
    );
    const other = content({ step: 9 });
    expect(codeOf(() => readBroadcast(CONTEXT, DESCRIPTOR, other, signature))).toBe('BAD_SIGNATURE');
  });

  test('of another version, network, type or header is refused', () => {
    expect(codeOf(() => read(flipped(content(), 0)))).toBe('WRONG_VERSION');
    expect(codeOf(() => read(flipped(content(), 1)))).toBe('WRONG_NETWORK');
    expect(codeOf(() => read(Uint8Array.from(content(), (byte, i) => (i === 17 ? 3 : byte))))).toBe(
      'BAD_ENCODING',
    );
    expect(codeOf(() => read(content({ headerBytes: new Uint8Array(3) })))).toBe('WRONG_VERSION');
    expect(codeOf(() => read(content().slice(0, -1)))).toBe('BAD_ENCODING');
    expect(codeOf(() => read(new Uint8Array(MAX_BROADCAST + 1)))).toBe('BAD_ENCODING');
  });

  const misplaced: readonly (readonly [string, readonly PlaceRange[]])[] = [
    [
      'out of order',
      [
        { first: 5, count: 1 },
        { first: 1, count: 1 },
      ],
    ],
    [
      'that overlap',
      [
        { first: 1, count: 2 },
        { first: 2, count: 1 },
      ],
    ],
    [
      'that touch',
      [
        { first: 1, count: 1 },
        { first: 2, count: 1 },
      ],
    ],
    ['without a place', [{ first: 1, count: 0 }]],
    ['beyond the highest tree', [{ first: 16_384, count: 1 }]],
    ['that reach beyond it', [{ first: 16_000, count: 385 }]],
    ['that never end', [{ first: 1, count: 2 ** 32 - 1 }]],
  ];
  test.each(misplaced)('with ranges %s is refused', (_, vacated) => {
    expect(codeOf(() => read(content({ vacated })))).toBe('BAD_ENCODING');
    expect(codeOf(() => read(content({ vacated: [], taken: vacated })))).toBe('BAD_ENCODING');
  });

  test('that would be too long is none', () => {
    const [seal] = BROADCAST.seals;
    if (!seal) throw new Error('there are seals');
    const seals = (count: number): readonly (typeof seal)[] => Array.from({ length: count }, () => seal);
    expect(encodeEpochBroadcast(CONTEXT, { ...BROADCAST, seals: seals(1132) })).toBeUndefined();
    expect(encodeEpochBroadcast(CONTEXT, { ...BROADCAST, seals: seals(4097) })).toBeUndefined();
    const longest = content({ seals: seals(1110) });
    expect(longest.length).toBeLessThanOrEqual(MAX_BROADCAST);
    expect(read(longest)).toMatchObject({ kind: 'epoch' });
  });

  test('names places as ranges', () => {
    expect(rangesOf([])).toEqual([]);
    expect(rangesOf([0, 1, 2, 7, 9, 10])).toEqual([
      { first: 0, count: 3 },
      { first: 7, count: 1 },
      { first: 9, count: 2 },
    ]);
  });
});

describe('GRP-10: a notice', () => {
  const due = notice(scene, 'amsterdam', { out: ['bob', 'eve'].map(deviceOf) });

  test.each(['left', 'revoked', 'used-up'] as const)('for %s is read as it was written', (reason) => {
    expect(read(encodeGroupDue(CONTEXT, { ...due, reason }))).toEqual({ ...due, reason });
  });

  test('is signed by the node that it names', () => {
    expect(codeOf(() => read(encodeGroupDue(CONTEXT, due), 'cairo'))).toBe('BAD_SIGNATURE');
  });

  test('with a reason or a length of its own is refused', () => {
    const unknown = encodeGroupDue(CONTEXT, { ...due, reason: 'moved' as DueReason });
    expect(codeOf(() => read(unknown))).toBe('BAD_ENCODING');
    expect(codeOf(() => read(encodeGroupDue(CONTEXT, due).slice(0, -1)))).toBe('BAD_ENCODING');
    const many = Array.from({ length: 1025 }, () => deviceOf('eve'));
    expect(codeOf(() => read(encodeGroupDue(CONTEXT, { ...due, out: many })))).toBe('BAD_ENCODING');
    expect(codeOf(() => read(encodeGroupDue(CONTEXT, { ...due, order: many.slice(0, 9) })))).toBe(
      'BAD_ENCODING',
    );
  });
});
