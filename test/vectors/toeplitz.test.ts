import { concat } from '@symmetra/crypto';
import { Toeplitz } from '@symmetra/entropy';
import { array, assert, integer, property, tuple, uint8Array } from 'fast-check';
import { describe, expect, it } from 'vitest';

const bitOf = (bytes: Uint8Array, i: number): number => ((bytes[i >> 3] as number) >> (7 - (i & 7))) & 1;

/** The product of the matrix and the vector, bit by bit. */
function naive(outputBits: number, seed: Uint8Array, input: Uint8Array): Uint8Array {
  const inputBits = input.length * 8;
  const output = new Uint8Array(outputBits / 8);
  for (let i = 0; i < outputBits; i++) {
    let sum = 0;
    for (let j = 0; j < inputBits; j++) sum ^= bitOf(seed, i - j + inputBits - 1) & bitOf(input, j);
    output[i >> 3] = (output[i >> 3] as number) | (sum << (7 - (i & 7)));
  }
  return output;
}

const xor = (one: Uint8Array, other: Uint8Array): Uint8Array =>
  one.map((byte, i) => byte ^ (other[i] as number));

const bytes = (length: number) => uint8Array({ minLength: length, maxLength: length });

/** Input and output bytes, a seed for them and two inputs. */
const cases = (maxBytes: number) =>
  tuple(integer({ min: 1, max: maxBytes }), integer({ min: 1, max: maxBytes })).chain(([a, b]) => {
    const [n, m] = [Math.max(a, b), Math.min(a, b)];
    return tuple(integer({ min: m, max: m }), bytes(n + m), bytes(n), bytes(n));
  });

const open = (m: number, seed: Uint8Array, input: Uint8Array): Toeplitz =>
  new Toeplitz({ inputBits: input.length * 8, outputBits: m * 8, seed });

describe('Toeplitz extraction', () => {
  it('follows a matrix worked out by hand', () => {
    // Seed bits 0 to 14: 1010 0110 1100 011. Row i has seed[i + 7] ... seed[i] for columns 0 to 7: row 0 is 01100101.
    const seed = Uint8Array.of(0b1010_0110, 0b1100_0110);
    const toeplitz = new Toeplitz({ inputBits: 8, outputBits: 8, seed });
    expect(toeplitz.extract(Uint8Array.of(0b1000_0000))).toEqual(Uint8Array.of(0b0110_0011));
    expect(toeplitz.extract(Uint8Array.of(0b0000_0001))).toEqual(Uint8Array.of(0b1010_0110));
    expect(toeplitz.extract(Uint8Array.of(0b1000_0001))).toEqual(Uint8Array.of(0b1100_0101));
    expect(toeplitz.extract(Uint8Array.of(0))).toEqual(Uint8Array.of(0));
  });

  it('is the product of matrix and vector for any sizes, also in one go', () => {
    assert(
      property(cases(48), ([m, seed, one, other]) => {
        const toeplitz = open(m, seed, one);
        const expected = [naive(m * 8, seed, one), naive(m * 8, seed, other)];
        expect([toeplitz.extract(one), toeplitz.extract(other)]).toEqual(expected);
        expect(toeplitz.extract(concat(one, other))).toEqual(concat(...expected));
      }),
      { numRuns: 150 },
    );
  });

  it.each([
    [1024, 512],
    [2048, 1024],
    [2048, 1032],
    [1536, 1536],
    [4096, 3072],
  ])('is the product of matrix and vector at %d to %d bits', (inputBits, outputBits) => {
    const sizes = [(inputBits + outputBits) / 8, inputBits / 8] as const;
    assert(
      property(bytes(sizes[0]), bytes(sizes[1]), (seed, input) => {
        const toeplitz = new Toeplitz({ inputBits, outputBits, seed });
        expect(toeplitz.extract(input)).toEqual(naive(outputBits, seed, input));
      }),
      { numRuns: 2 },
    );
  });

  it('is linear', () => {
    assert(
      property(cases(300), ([m, seed, one, other]) => {
        const toeplitz = open(m, seed, one);
        expect(toeplitz.extract(xor(one, other))).toEqual(
          xor(toeplitz.extract(one), toeplitz.extract(other)),
        );
      }),
      { numRuns: 100 },
    );
  });

  it('depends on no block that it has extracted before', () => {
    assert(
      property(bytes(48), array(bytes(32), { minLength: 2, maxLength: 6 }), (seed, blocks) => {
        const toeplitz = new Toeplitz({ inputBits: 256, outputBits: 128, seed });
        const inTurn = blocks.map((block) => toeplitz.extract(block));
        expect(inTurn).toEqual(
          blocks.map((block) => new Toeplitz({ inputBits: 256, outputBits: 128, seed }).extract(block)),
        );
      }),
      { numRuns: 30 },
    );
  });
});
