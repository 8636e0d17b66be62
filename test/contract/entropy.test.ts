import { SymmetraError, toHex } from '@symmetra/crypto';
import {
  DRBG_MAX_INPUT_BYTES,
  DRBG_MAX_REQUEST_BYTES,
  DRBG_MAX_RESEED_INTERVAL,
  DeviceRandom,
  HmacDrbg,
  osRandom,
} from '@symmetra/entropy';
import type { RandomBytes, RandomSource } from '@symmetra/entropy';
import { describe, expect, it } from 'vitest';

const zeros: RandomBytes = (length) => new Uint8Array(length);

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof SymmetraError) return error.code;
    throw error;
  }
  return 'none';
}

const sources: readonly (readonly [string, () => RandomSource])[] = [
  ['the operating system', osRandom],
  ['a device', () => new DeviceRandom(osRandom().bytes)],
  ['a device whose operating system gives zeros only', () => new DeviceRandom(zeros)],
];

describe.each(sources)('random bytes of %s', (_, open) => {
  it('have the length that was asked for, small or large', () => {
    const source = open();
    for (const length of [0, 1, 31, 32, 33, 255, 256, 257, 1024, 4096, 70_000]) {
      expect(source.bytes(length)).toHaveLength(length);
    }
  });

  it('never hand out one byte string twice, across pools and large draws', () => {
    const source = open();
    const seen = new Set<string>();
    for (let i = 0; i < 600; i++) seen.add(toHex(source.bytes(i % 50 === 0 ? 2000 : 16)));
    expect(seen.size).toBe(600);
  });

  it('belong to the caller: changing them changes no later draw', () => {
    const source = open();
    const first = source.bytes(32);
    first.fill(0);
    expect(source.bytes(32)).not.toEqual(first);
    expect(first.buffer.byteLength).toBe(32);
  });

  it('refuse a length that is none', () => {
    const source = open();
    for (const length of [-1, 1.5, Number.NaN, 2 ** 31]) {
      expect(codeOf(() => source.bytes(length))).toBe('RANDOM_LENGTH');
    }
  });

  it('claim neither a physical nor a quantum origin', () => {
    expect(open()).toMatchObject({ physical: false, quantum: false });
  });
});

describe('DeviceRandom', () => {
  it('differs between two devices', () => {
    const os = osRandom().bytes;
    expect(new DeviceRandom(os).bytes(32)).not.toEqual(new DeviceRandom(os).bytes(32));
  });

  it('gives by itself the same bytes again when its operating system is broken', () => {
    expect(new DeviceRandom(zeros).bytes(32)).toEqual(new DeviceRandom(zeros).bytes(32));
  });

  it('is good with a broken operating system once one node has contributed', () => {
    const alice = new DeviceRandom(zeros);
    const mallory = new DeviceRandom(zeros);
    alice.mix(osRandom().bytes(32));
    mallory.mix(new Uint8Array(32));
    expect(alice.bytes(32)).not.toEqual(mallory.bytes(32));
  });

  it('keeps an honest contribution when a hostile one follows', () => {
    const alice = new DeviceRandom(zeros);
    const mallory = new DeviceRandom(zeros);
    alice.mix(osRandom().bytes(32));
    for (const device of [alice, mallory]) device.mix(new Uint8Array(32).fill(0xff));
    expect(alice.bytes(32)).not.toEqual(mallory.bytes(32));
  });

  it('lets the very next small draw depend on a contribution', () => {
    const withPool = () => {
      const device = new DeviceRandom(zeros);
      device.bytes(16);
      return device;
    };
    const [one, two] = [withPool(), withPool()];
    one.mix(new Uint8Array(32).fill(1));
    two.mix(new Uint8Array(32).fill(2));
    expect(one.bytes(16)).not.toEqual(two.bytes(16));
  });

  it('takes fresh operating-system entropy for every generate call', () => {
    let turns = 0;
    const turning: RandomBytes = (length) => new Uint8Array(length).fill(turns);
    const [one, two] = [new DeviceRandom(turning), new DeviceRandom(turning)];
    const before = one.bytes(2000);
    expect(before).toEqual(two.bytes(2000));
    const expected = one.bytes(2000);
    turns = 1;
    expect(two.bytes(2000)).not.toEqual(expected);
  });

  it('neither keeps nor changes a contribution, and fails closed when the operating system does', () => {
    let broken = false;
    const os: RandomBytes = (length) => {
      if (broken) throw new SymmetraError('OS_RANDOM_FAILED', 'no random bytes');
      return osRandom().bytes(length);
    };
    const device = new DeviceRandom(os);
    const contribution = new Uint8Array(32).fill(7);
    device.mix(contribution);
    expect(contribution).toEqual(new Uint8Array(32).fill(7));
    broken = true;
    expect(codeOf(() => device.bytes(2000))).toBe('OS_RANDOM_FAILED');
    expect(codeOf(() => device.mix(contribution))).toBe('OS_RANDOM_FAILED');
  });

  it('gives nothing after it was wiped', () => {
    const device = new DeviceRandom(osRandom().bytes);
    device.bytes(16);
    device.wipe();
    expect(codeOf(() => device.bytes(16))).toBe('DRBG_WIPED');
    expect(codeOf(() => device.mix(new Uint8Array(32)))).toBe('DRBG_WIPED');
  });
});

describe('HmacDrbg limits', () => {
  const seed = { entropy: new Uint8Array(32), nonce: new Uint8Array(16) };
  const oversized = new Uint8Array(DRBG_MAX_INPUT_BYTES + 1);

  it('refuses a seed below the security strength', () => {
    expect(codeOf(() => new HmacDrbg({ ...seed, entropy: new Uint8Array(31) }))).toBe(
      'DRBG_ENTROPY_TOO_SHORT',
    );
    expect(codeOf(() => new HmacDrbg({ ...seed, nonce: new Uint8Array(15) }))).toBe('DRBG_NONCE_TOO_SHORT');
    expect(codeOf(() => new HmacDrbg(seed).reseed(new Uint8Array(31)))).toBe('DRBG_ENTROPY_TOO_SHORT');
  });

  it('refuses oversized inputs and requests', () => {
    const drbg = new HmacDrbg(seed);
    expect(codeOf(() => new HmacDrbg({ ...seed, entropy: oversized }))).toBe('DRBG_INPUT_TOO_LONG');
    expect(codeOf(() => new HmacDrbg({ ...seed, nonce: oversized }))).toBe('DRBG_INPUT_TOO_LONG');
    expect(codeOf(() => new HmacDrbg({ ...seed, personalization: oversized }))).toBe('DRBG_INPUT_TOO_LONG');
    expect(codeOf(() => drbg.reseed(seed.entropy, oversized))).toBe('DRBG_INPUT_TOO_LONG');
    expect(codeOf(() => drbg.generate(1, oversized))).toBe('DRBG_INPUT_TOO_LONG');
    expect(codeOf(() => drbg.generate(DRBG_MAX_REQUEST_BYTES + 1))).toBe('DRBG_REQUEST_TOO_LARGE');
    expect(codeOf(() => drbg.generate(-1))).toBe('DRBG_REQUEST_TOO_LARGE');
    expect(drbg.generate(DRBG_MAX_REQUEST_BYTES)).toHaveLength(DRBG_MAX_REQUEST_BYTES);
  });

  it('stops at its reseed interval until it is reseeded', () => {
    const drbg = new HmacDrbg({ ...seed, reseedInterval: 2 });
    drbg.generate(32);
    drbg.generate(32);
    expect(codeOf(() => drbg.generate(32))).toBe('DRBG_RESEED_REQUIRED');
    drbg.reseed(seed.entropy);
    expect(drbg.generate(32)).toHaveLength(32);
    for (const reseedInterval of [0, DRBG_MAX_RESEED_INTERVAL + 1]) {
      expect(codeOf(() => new HmacDrbg({ ...seed, reseedInterval }))).toBe('DRBG_RESEED_INTERVAL');
    }
  });

  it('changes neither its state nor its output by a refused call', () => {
    const [disturbed, calm] = [new HmacDrbg(seed), new HmacDrbg(seed)];
    codeOf(() => disturbed.generate(1, oversized));
    codeOf(() => disturbed.reseed(new Uint8Array(3)));
    expect(disturbed.generate(40)).toEqual(calm.generate(40));
  });
});
