import { createHash } from 'node:crypto';
import { SymmetraError, toHex, utf8 } from '@symmetra/crypto';
import { CtrDrbg, DrbgTier, FullTier } from '@symmetra/entropy';
import type { SeedSupply } from '@symmetra/entropy';
import { describe, expect, it } from 'vitest';

const SEED = 48;
/** 2^17 bits. */
const STRETCH = 16_384;

/** Seed number `i`; what it stands for in these tests. */
const seedOf = (i: number): Uint8Array => new Uint8Array(createHash('sha384').update(`seed ${i}`).digest());

class Supply implements SeedSupply {
  available: number;
  taken = 0;
  readonly handedOut: Uint8Array[] = [];

  constructor(available: number) {
    this.available = available;
  }

  take(): Uint8Array | undefined {
    if (this.available <= 0) return undefined;
    this.available -= 1;
    const seed = seedOf(this.taken);
    this.taken += 1;
    this.handedOut.push(seed);
    return seed;
  }
}

function errorOf(action: () => unknown): { code: string; details: unknown } {
  try {
    action();
  } catch (error) {
    if (error instanceof SymmetraError) return { code: error.code, details: error.details };
    throw error;
  }
  return { code: 'none', details: undefined };
}

const codeOf = (action: () => unknown): string => errorOf(action).code;

/** What CTR_DRBG gives when seeds are taken from `first` on, one for each 2^17 bits. */
function drbgStream(first: number, stretches: number, personalization: string): Uint8Array {
  const drbg = new CtrDrbg({ fullEntropy: seedOf(first), personalization: utf8(personalization) });
  const stream = new Uint8Array(stretches * STRETCH);
  for (let i = 0; i < stretches; i++) {
    if (i > 0) drbg.reseed(seedOf(first + i));
    stream.set(drbg.generate(STRETCH), i * STRETCH);
  }
  return stream;
}

describe('the drbg tier', () => {
  it('is a CTR_DRBG that is reseeded after each 2^17 bits, however the output is cut', () => {
    const expected = drbgStream(0, 4, 'symmetra entropy tier drbg');
    for (const cuts of [
      [4 * STRETCH],
      [1, STRETCH - 1, 2 * STRETCH, STRETCH],
      [100, 40_000, 5000, 32],
      [0, 20_000],
    ]) {
      const tier = new DrbgTier(new Supply(4));
      let at = 0;
      for (const length of cuts) {
        expect(toHex(tier.bytes(length))).toBe(toHex(expected.subarray(at, at + length)));
        at += length;
      }
    }
  });

  it('refuses to start without a seed', () => {
    expect(errorOf(() => new DrbgTier(new Supply(0)))).toEqual({
      code: 'ENTROPY_EXHAUSTED',
      details: { length: 0, needed: 1, available: 0 },
    });
  });

  it('goes on to the end of what its last seed allows, refuses then, and goes on when there are seeds', () => {
    const supply = new Supply(1);
    const tier = new DrbgTier(supply);
    for (let i = 0; i < STRETCH / 32; i++) expect(tier.bytes(32)).toHaveLength(32);
    expect(codeOf(() => tier.bytes(1))).toBe('ENTROPY_EXHAUSTED');
    expect(tier.bytes(0)).toHaveLength(0);
    supply.available = 1;
    expect(tier.bytes(32)).toEqual(
      drbgStream(0, 2, 'symmetra entropy tier drbg').slice(STRETCH, STRETCH + 32),
    );
  });

  it('takes and gives nothing when a draw needs more seeds than there are', () => {
    const supply = new Supply(2);
    const tier = new DrbgTier(supply);
    tier.bytes(1000);
    expect(errorOf(() => tier.bytes(2 * STRETCH - 999))).toEqual({
      code: 'ENTROPY_EXHAUSTED',
      details: { length: 2 * STRETCH - 999, needed: 2, available: 1 },
    });
    expect([supply.taken, tier.ledger.bitsOut]).toEqual([1, 8000]);
    expect(toHex(tier.bytes(2 * STRETCH - 1000))).toBe(
      toHex(drbgStream(0, 2, 'symmetra entropy tier drbg').subarray(1000)),
    );
  });

  it('keeps a ledger', () => {
    const tier = new DrbgTier(new Supply(10));
    tier.bytes(32);
    tier.bytes(2 * STRETCH);
    codeOf(() => tier.bytes(100 * STRETCH));
    expect(tier.ledger).toEqual({ seedBitsIn: 3 * 384, maskBitsIn: 0, bitsOut: (32 + 2 * STRETCH) * 8 });
  });
});

describe('the full tier', () => {
  /** The masks are what follows the seed of the DRBG. */
  function expectedOf(length: number): Uint8Array {
    const stream = drbgStream(0, 1, 'symmetra entropy tier full').subarray(0, length);
    return stream.map((byte, i) => byte ^ (seedOf(1 + Math.floor(i / SEED))[i % SEED] as number));
  }

  it('is full entropy XOR a DRBG, however the output is cut', () => {
    for (const cuts of [[480], [1, 47, 48, 384], [32, 32, 32, 100], [0, 49]]) {
      const tier = new FullTier(new Supply(1000));
      let at = 0;
      for (const length of cuts) {
        expect(toHex(tier.bytes(length))).toBe(toHex(expectedOf(at + length).subarray(at)));
        at += length;
      }
    }
  });

  it('takes one seed for each 384 bits, and one for its DRBG each 2^17 bits', () => {
    const supply = new Supply(2000);
    const tier = new FullTier(supply);
    tier.bytes(STRETCH + 1);
    expect(supply.taken).toBe(Math.ceil((STRETCH + 1) / SEED) + 2);
    expect(tier.ledger).toEqual({
      seedBitsIn: 2 * 384,
      maskBitsIn: Math.ceil((STRETCH + 1) / SEED) * 384,
      bitsOut: (STRETCH + 1) * 8,
    });
  });

  it('refuses what it can not cover in full, and then takes and gives nothing', () => {
    const supply = new Supply(3);
    const tier = new FullTier(supply);
    expect(errorOf(() => tier.bytes(97))).toEqual({
      code: 'ENTROPY_SHORT',
      details: { length: 97, needed: 4, available: 3 },
    });
    expect([supply.taken, tier.ledger.bitsOut]).toEqual([0, 0]);
    expect(tier.bytes(96)).toEqual(expectedOf(96));
    expect(codeOf(() => tier.bytes(1))).toBe('ENTROPY_SHORT');
    supply.available = 1;
    expect(tier.bytes(30)).toHaveLength(30);
    // 18 bytes of that seed are left.
    expect(codeOf(() => tier.bytes(19))).toBe('ENTROPY_SHORT');
    expect(tier.bytes(18)).toHaveLength(18);
  });

  it('never goes on as a DRBG', () => {
    const tier = new FullTier(new Supply(2));
    tier.bytes(48);
    for (const length of [1, 32, 48]) expect(codeOf(() => tier.bytes(length))).toBe('ENTROPY_SHORT');
  });

  it('gives nothing at all when its supply runs dry in the middle, against its word', () => {
    const supply = new Supply(1000);
    const tier = new FullTier(supply);
    const { take } = supply;
    supply.take = () => (supply.taken < 2 ? take.call(supply) : undefined);
    expect(codeOf(() => tier.bytes(96))).toBe('ENTROPY_SHORT');
    expect(tier.ledger).toEqual({ seedBitsIn: 384, maskBitsIn: 384, bitsOut: 0 });
  });
});

describe.each([
  ['drbg', 'ENTROPY_EXHAUSTED', (supply: SeedSupply) => new DrbgTier(supply)],
  ['full', 'ENTROPY_SHORT', (supply: SeedSupply) => new FullTier(supply)],
] as const)('the %s tier', (_, code, open) => {
  it('refuses a length that is none', () => {
    const tier = open(new Supply(10));
    for (const length of [-1, 1.5, Number.NaN, 2 ** 31]) {
      expect(codeOf(() => tier.bytes(length))).toBe('RANDOM_LENGTH');
    }
  });

  it('gives arrays that belong to the caller alone', () => {
    const supply = new Supply(100);
    const tier = open(supply);
    const drawn = tier.bytes(64);
    expect(drawn.buffer.byteLength).toBe(64);
    expect(Object.getPrototypeOf(drawn)).toBe(Uint8Array.prototype);
  });

  it('wipes the seeds that it has used up', () => {
    const supply = new Supply(100);
    const tier = open(supply);
    tier.bytes(480);
    expect(supply.handedOut.every((seed) => seed.every((byte) => byte === 0))).toBe(true);
  });

  it('is not misled by a supply that has less than it says', () => {
    const supply = new Supply(1);
    const tier = open(supply);
    Object.defineProperty(supply, 'take', { value: () => undefined });
    supply.available = 1000;
    expect(codeOf(() => tier.bytes(40_000))).toBe(code);
    expect(tier.ledger.bitsOut).toBe(0);
  });

  it('hands on what a supply throws, and goes on afterwards', () => {
    const supply = new Supply(1000);
    const tier = open(supply);
    const { take } = supply;
    supply.take = () => {
      throw new SymmetraError('SOURCE_SILENT', 'nothing comes');
    };
    expect(codeOf(() => tier.bytes(40_000))).toBe('SOURCE_SILENT');
    supply.take = take;
    expect(tier.bytes(40_000)).toHaveLength(40_000);
  });

  it('does nothing more once it is wiped', () => {
    const tier = open(new Supply(100));
    tier.bytes(10);
    tier.wipe();
    expect(codeOf(() => tier.bytes(10))).toBe('ENTROPY_TIER_WIPED');
  });
});
