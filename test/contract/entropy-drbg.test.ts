import { SymmetraError, concat, toHex, utf8 } from '@symmetra/crypto';
import {
  CtrDrbg,
  DRBG_MAX_INPUT_BYTES,
  DRBG_MAX_REQUEST_BYTES,
  DRBG_MAX_RESEED_INTERVAL,
  HashDrbg,
  HmacDrbg,
} from '@symmetra/entropy';
import type { Drbg, DrbgSeed } from '@symmetra/entropy';
import { assert, nat, property } from 'fast-check';
import { describe, expect, it } from 'vitest';

const entropy = utf8('forty-eight bytes that a test takes for entropy!');
const nonce = utf8('sixteen a nonce!');
const fresh = utf8('FORTY-EIGHT BYTES THAT A TEST TAKES FOR ENTROPY!');

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof SymmetraError) return error.code;
    throw error;
  }
  return 'none';
}

type Options = Omit<DrbgSeed, 'entropy' | 'nonce'>;

const withNonce: readonly (readonly [string, (seed: DrbgSeed) => Drbg])[] = [
  ['HMAC_DRBG SHA-256', (seed) => new HmacDrbg(seed)],
  ['HMAC_DRBG SHA-512', (seed) => new HmacDrbg(seed, 'sha512')],
  ['Hash_DRBG SHA-512', (seed) => new HashDrbg(seed)],
  ['CTR_DRBG AES-256 with derivation function', (seed) => new CtrDrbg(seed)],
];

const all: readonly (readonly [string, (options?: Options) => Drbg])[] = [
  ...withNonce.map(
    ([name, open]) => [name, (options?: Options) => open({ entropy, nonce, ...options })] as const,
  ),
  ['CTR_DRBG AES-256 on full entropy', (options) => new CtrDrbg({ fullEntropy: entropy, ...options })],
];

describe.each(all)('%s', (_, open) => {
  it('gives every length up to 2^19 bits, and refuses more', () => {
    const drbg = open();
    for (const length of [0, 1, 15, 16, 17, 63, 64, 65, 4096, DRBG_MAX_REQUEST_BYTES]) {
      expect(drbg.generate(length)).toHaveLength(length);
    }
    for (const length of [-1, 1.5, Number.NaN, DRBG_MAX_REQUEST_BYTES + 1]) {
      expect(codeOf(() => drbg.generate(length))).toBe('DRBG_REQUEST_TOO_LARGE');
    }
  });

  it('starts a shorter output as it starts a longer one', () => {
    assert(
      property(nat(300), nat(300), (one, other) => {
        const [short, long] = [Math.min(one, other), Math.max(one, other)];
        expect(toHex(open().generate(long)).startsWith(toHex(open().generate(short)))).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it('never gives the same bytes again', () => {
    const drbg = open();
    const seen = new Set<string>();
    for (let i = 0; i < 100; i++) {
      if (i % 10 === 0) drbg.reseed(fresh);
      seen.add(toHex(drbg.generate(32, i % 3 === 0 ? nonce : undefined)));
    }
    expect(seen.size).toBe(100);
  });

  it('depends on the personalization string and on each additional input', () => {
    const outputs = [
      open().generate(32),
      open({ personalization: nonce }).generate(32),
      open().generate(32, nonce),
    ];
    const reseeded = open();
    reseeded.reseed(fresh);
    const reseededWithMore = open();
    reseededWithMore.reseed(fresh, nonce);
    outputs.push(reseeded.generate(32), reseededWithMore.generate(32));
    expect(new Set(outputs.map(toHex)).size).toBe(5);
  });

  it('depends on the old state after a reseed', () => {
    const one = open();
    const other = open();
    other.generate(1);
    one.reseed(fresh);
    other.reseed(fresh);
    expect(one.generate(32)).not.toEqual(other.generate(32));
  });

  it('gives no more than its reseed interval between two seeds', () => {
    const drbg = open({ reseedInterval: 2 });
    drbg.generate(16);
    drbg.generate(16);
    expect(codeOf(() => drbg.generate(16))).toBe('DRBG_RESEED_REQUIRED');
    drbg.reseed(fresh);
    expect(drbg.generate(16)).toHaveLength(16);
  });

  it('refuses an impossible reseed interval', () => {
    for (const reseedInterval of [0, -1, 1.5, Number.NaN, DRBG_MAX_RESEED_INTERVAL + 1]) {
      expect(codeOf(() => open({ reseedInterval }))).toBe('DRBG_RESEED_INTERVAL');
    }
  });

  it('refuses inputs beyond its limits', () => {
    const long = new Uint8Array(DRBG_MAX_INPUT_BYTES + 1);
    const drbg = open();
    expect(codeOf(() => open({ personalization: long }))).toBe('DRBG_INPUT_TOO_LONG');
    expect(codeOf(() => drbg.generate(16, long))).toBe('DRBG_INPUT_TOO_LONG');
    expect(codeOf(() => drbg.reseed(fresh, long))).toBe('DRBG_INPUT_TOO_LONG');
  });

  it('is as it was after a call that it refused', () => {
    const refusing = open({ reseedInterval: 2 });
    const untouched = open({ reseedInterval: 2 });
    const long = new Uint8Array(DRBG_MAX_INPUT_BYTES + 1);
    codeOf(() => refusing.generate(DRBG_MAX_REQUEST_BYTES + 1, nonce));
    codeOf(() => refusing.generate(16, long));
    codeOf(() => refusing.reseed(fresh.subarray(0, 31)));
    codeOf(() => refusing.reseed(fresh, long));
    expect(refusing.generate(64)).toEqual(untouched.generate(64));
    expect(refusing.generate(64)).toEqual(untouched.generate(64));
  });

  it('changes no input, and keeps none', () => {
    const inputs = [fresh, nonce, fresh].map((input) => new Uint8Array(input));
    const [seed, more, additional] = inputs as [Uint8Array, Uint8Array, Uint8Array];
    const drbg = open();
    drbg.reseed(seed, more);
    const expected = open();
    expected.reseed(seed, more);
    drbg.generate(16, additional);
    expected.generate(16, additional);
    expect(inputs).toEqual([fresh, nonce, fresh]);
    for (const input of inputs) input.fill(0);
    expect(drbg.generate(16)).toEqual(expected.generate(16));
  });

  it('gives arrays that belong to the caller alone', () => {
    const drbg = open();
    const expected = open();
    const first = drbg.generate(48);
    expected.generate(48);
    expect(first.buffer.byteLength).toBe(48);
    first.fill(0);
    expect(drbg.generate(48)).toEqual(expected.generate(48));
  });

  it('does nothing more once it is wiped', () => {
    const drbg = open();
    drbg.wipe();
    expect(codeOf(() => drbg.generate(16))).toBe('DRBG_WIPED');
    expect(codeOf(() => drbg.reseed(fresh))).toBe('DRBG_WIPED');
  });
});

describe.each(withNonce)('%s', (_, open) => {
  it('refuses too little entropy and too short a nonce', () => {
    const short = entropy.subarray(0, 31);
    expect(codeOf(() => open({ entropy: short, nonce }))).toBe('DRBG_ENTROPY_TOO_SHORT');
    expect(codeOf(() => open({ entropy, nonce: nonce.subarray(1) }))).toBe('DRBG_NONCE_TOO_SHORT');
    expect(codeOf(() => open({ entropy, nonce }).reseed(short))).toBe('DRBG_ENTROPY_TOO_SHORT');
  });

  it('refuses entropy and nonces beyond its limits', () => {
    const long = new Uint8Array(DRBG_MAX_INPUT_BYTES + 1);
    expect(codeOf(() => open({ entropy: long, nonce }))).toBe('DRBG_INPUT_TOO_LONG');
    expect(codeOf(() => open({ entropy, nonce: long }))).toBe('DRBG_INPUT_TOO_LONG');
    expect(codeOf(() => open({ entropy, nonce }).reseed(long))).toBe('DRBG_INPUT_TOO_LONG');
  });
});

describe('CTR_DRBG on full entropy', () => {
  it('takes seeds of exactly 384 bits', () => {
    for (const fullEntropy of [entropy.subarray(1), concat(entropy, nonce), new Uint8Array(0)]) {
      expect(codeOf(() => new CtrDrbg({ fullEntropy }))).toBe('DRBG_SEED_LENGTH');
      expect(codeOf(() => new CtrDrbg({ fullEntropy: entropy }).reseed(fullEntropy))).toBe(
        'DRBG_SEED_LENGTH',
      );
    }
  });

  it('takes additional input and personalization of at most 384 bits', () => {
    const long = new Uint8Array(49);
    expect(codeOf(() => new CtrDrbg({ fullEntropy: entropy, personalization: long }))).toBe(
      'DRBG_INPUT_TOO_LONG',
    );
    expect(codeOf(() => new CtrDrbg({ fullEntropy: entropy }).generate(16, long))).toBe(
      'DRBG_INPUT_TOO_LONG',
    );
    expect(codeOf(() => new CtrDrbg({ fullEntropy: entropy }).reseed(entropy, long))).toBe(
      'DRBG_INPUT_TOO_LONG',
    );
  });
});
