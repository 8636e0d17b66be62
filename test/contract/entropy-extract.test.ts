import { SymmetraError, utf8 } from '@symmetra/crypto';
import {
  SEED_ENTROPY_BITS,
  TOEPLITZ_BLOCKS_PER_SEED,
  Toeplitz,
  condition,
  leftoverHashBits,
  outputEntropy,
} from '@symmetra/entropy';
import type { ConditionerPart } from '@symmetra/entropy';
import { describe, expect, it } from 'vitest';

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof SymmetraError) return error.code;
    throw error;
  }
  return 'none';
}

interface Exports {
  readonly exports: { readonly memory: { readonly buffer: ArrayBuffer } };
}
/** WebAssembly, which the compiler knows only as a part of browsers. */
const wasm = (globalThis as unknown as { WebAssembly: { Instance: new (module: object) => Exports } })
  .WebAssembly;

const seed = Uint8Array.from({ length: 48 }, (_, i) => (i * 37 + 11) & 0xff);
const input = Uint8Array.from({ length: 32 }, (_, i) => (i * 101 + 7) & 0xff);
const sizes = { inputBits: 256, outputBits: 128 };

describe('the Toeplitz extractor', () => {
  it('refuses sizes that it can not have', () => {
    const wrong = [
      { inputBits: 250, outputBits: 128 },
      { inputBits: 256, outputBits: 4 },
      { inputBits: 256, outputBits: 0 },
      { inputBits: 128, outputBits: 256 },
      { inputBits: 65_544, outputBits: 128 },
      { inputBits: Number.NaN, outputBits: 128 },
      { ...sizes, blocksPerSeed: 0 },
      { ...sizes, blocksPerSeed: 1.5 },
      { ...sizes, blocksPerSeed: TOEPLITZ_BLOCKS_PER_SEED + 1 },
    ];
    for (const options of wrong) {
      expect(codeOf(() => new Toeplitz({ ...options, seed }))).toBe('EXTRACTOR_SIZE');
    }
  });

  it('refuses a seed of another length', () => {
    for (const length of [0, 47, 49]) {
      const other = new Uint8Array(length);
      expect(codeOf(() => new Toeplitz({ ...sizes, seed: other }))).toBe('EXTRACTOR_SEED_LENGTH');
      expect(codeOf(() => new Toeplitz({ ...sizes, seed }).rotate(other))).toBe('EXTRACTOR_SEED_LENGTH');
    }
  });

  it('refuses input that is no whole number of blocks', () => {
    for (const length of [0, 31, 33, 63]) {
      expect(codeOf(() => new Toeplitz({ ...sizes, seed }).extract(new Uint8Array(length)))).toBe(
        'EXTRACTOR_INPUT_LENGTH',
      );
    }
  });

  it('counts the blocks of a seed and refuses one too many until the seed is rotated', () => {
    const toeplitz = new Toeplitz({ ...sizes, seed, blocksPerSeed: 3 });
    const first = toeplitz.extract(input);
    expect(codeOf(() => toeplitz.extract(new Uint8Array(32 * 3)))).toBe('EXTRACTOR_SEED_SPENT');
    expect(toeplitz.blocks).toBe(1);
    toeplitz.extract(new Uint8Array(64));
    expect(toeplitz.blocks).toBe(3);
    expect(codeOf(() => toeplitz.extract(input))).toBe('EXTRACTOR_SEED_SPENT');
    toeplitz.rotate(seed.toReversed());
    expect(toeplitz.blocks).toBe(0);
    expect(toeplitz.extract(input)).not.toEqual(first);
    toeplitz.rotate(seed);
    expect(toeplitz.extract(input)).toEqual(first);
  });

  it('ignores the last bit of the seed, and takes a seed of zeros', () => {
    const other = Uint8Array.from(seed);
    other[47] = (other[47] as number) ^ 1;
    const one = new Toeplitz({ ...sizes, seed }).extract(input);
    expect(new Toeplitz({ ...sizes, seed: other }).extract(input)).toEqual(one);
    const zero = new Toeplitz({ ...sizes, seed });
    zero.extract(input);
    zero.rotate(new Uint8Array(48));
    expect(zero.extract(input)).toEqual(new Uint8Array(16));
  });

  it('changes neither input nor seed, and keeps neither', () => {
    const [ownSeed, ownInput] = [Uint8Array.from(seed), Uint8Array.from(input)];
    const toeplitz = new Toeplitz({ ...sizes, seed: ownSeed });
    const first = toeplitz.extract(ownInput);
    expect([ownSeed, ownInput]).toEqual([seed, input]);
    ownSeed.fill(0);
    expect(toeplitz.extract(input)).toEqual(first);
  });

  it('leaves nothing of the input in memory, and of the seed nothing once it is wiped', () => {
    const memories: { readonly buffer: ArrayBuffer }[] = [];
    const real = wasm.Instance;
    wasm.Instance = class extends real {
      constructor(module: object) {
        super(module);
        memories.push(this.exports.memory);
      }
    };
    try {
      const toeplitz = new Toeplitz({ ...sizes, seed });
      const used = (): number =>
        memories.reduce(
          (sum, { buffer }) => sum + new Uint8Array(buffer).filter((byte) => byte !== 0).length,
          0,
        );
      const fresh = used();
      expect(fresh).toBeGreaterThan(0);
      toeplitz.extract(input);
      expect(used()).toBe(fresh);
      toeplitz.wipe();
      expect(used()).toBe(0);
    } finally {
      wasm.Instance = real;
    }
  });

  it('does nothing more once it is wiped', () => {
    const toeplitz = new Toeplitz({ ...sizes, seed });
    toeplitz.wipe();
    expect(codeOf(() => toeplitz.extract(input))).toBe('EXTRACTOR_WIPED');
    expect(codeOf(() => toeplitz.rotate(seed))).toBe('EXTRACTOR_WIPED');
  });
});

describe('the bounds', () => {
  it('refuse figures that mean nothing', () => {
    for (const [n, h, epsilonLog2] of [
      [0, 0.9, -64],
      [1.5, 0.9, -64],
      [1024, 1.1, -64],
      [1024, -0.1, -64],
      [1024, 0.9, 0],
      [1024, Number.NaN, -64],
      [1024, 0.9, Number.NaN],
    ] as const) {
      expect(codeOf(() => leftoverHashBits(n, h, epsilonLog2))).toBe('EXTRACTOR_BAD_BOUND');
    }
    const good = { nIn: 512, nOut: 256, nw: 256, hIn: 400 };
    for (const figures of [
      { nIn: 0 },
      { nOut: 1.5 },
      { nw: -1 },
      { hIn: 513 },
      { hIn: -1 },
      { hIn: Number.NaN },
    ]) {
      expect(codeOf(() => outputEntropy({ ...good, ...figures, vetted: true }))).toBe(
        'CONDITIONING_BAD_FIGURES',
      );
    }
    for (const hMeasured of [-0.1, 1.1, Number.NaN]) {
      expect(codeOf(() => outputEntropy({ ...good, vetted: false, hMeasured }))).toBe(
        'CONDITIONING_BAD_FIGURES',
      );
    }
  });
});

describe('the conditioner', () => {
  const part = (source: string, text: string, entropyBits: number): ConditionerPart => ({
    source,
    bytes: utf8(text.padEnd(64, '.')),
    entropyBits,
  });
  const alice = part('alice', 'a', 300);
  const bob = part('bob', 'b', 148);

  it('gives 384 bits that depend on every part', () => {
    const seeds = [
      [alice, bob],
      [bob, alice],
      [alice, bob, part('os', '', 0)],
      [part('alice', 'A', 300), bob],
      [{ ...alice, source: 'alicE' }, bob],
    ].map((parts) => Buffer.from(condition(parts)).toString('hex'));
    expect(seeds.map(({ length }) => length / 2)).toEqual([48, 48, 48, 48, 48]);
    expect(new Set(seeds).size).toBe(5);
  });

  it('tells parts apart that are the same bytes in a row', () => {
    const whole = utf8('x'.repeat(64));
    const of = (...parts: readonly (readonly [string, number, number])[]): Uint8Array =>
      condition(
        parts.map(([source, from, to], i) => ({
          source,
          bytes: whole.subarray(from, to),
          entropyBits: i === 0 ? 448 : 0,
        })),
      );
    expect(of(['a', 0, 60], ['a', 60, 64])).not.toEqual(of(['a', 0, 62], ['a', 62, 64]));
    expect(of(['a', 0, 64])).not.toEqual(of(['ax', 0, 63]));
    expect(of(['a', 0, 64])).not.toEqual(of(['a', 0, 64], ['', 0, 0]));
  });

  it('tells parts apart where the bytes of one look like the head of the next', () => {
    const credited = 'x'.repeat(64);
    const head = '\0\0\0\u0001a';
    const of = (first: string, second: string): Uint8Array =>
      condition([
        { source: 'a', bytes: utf8(first), entropyBits: 448 },
        { source: 'a', bytes: utf8(second), entropyBits: 0 },
      ]);
    expect(of(`${credited}${head}y`, 'z')).not.toEqual(of(credited, `y${head}z`));
  });

  it('refuses to make a seed of less than 448 credited bits', () => {
    expect(SEED_ENTROPY_BITS).toBe(448);
    expect(condition([alice, bob])).toHaveLength(48);
    for (const parts of [[], [alice], [alice, { ...bob, entropyBits: 147.9 }], [alice, part('os', '', 0)]]) {
      expect(codeOf(() => condition(parts))).toBe('CONDITIONER_ENTROPY_SHORT');
    }
  });

  it('credits no part with less than nothing or more than its bits', () => {
    for (const entropyBits of [-1, 513, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(codeOf(() => condition([{ ...alice, entropyBits }, bob]))).toBe('CONDITIONER_BAD_PART');
    }
  });

  it('changes no part', () => {
    const before = Uint8Array.from(alice.bytes);
    condition([alice, bob]);
    expect(alice.bytes).toEqual(before);
  });
});
