import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { linearComplexities } from '../../packages/battery/src/sp800-22/berlekamp-massey.js';
import { bitSequence } from '../../packages/battery/src/sp800-22/bit-sequence.js';
import { fourierTransform, zeroPoints } from '../../packages/battery/src/sp800-22/fourier.js';

describe('SP 800-22, parts', () => {
  it('the transform agrees with its definition for smooth, prime and other lengths', () => {
    for (const length of [1, 2, 3, 4, 5, 6, 7, 8, 12, 17, 30, 60, 77, 97, 100, 225]) {
      const points = zeroPoints(length);
      for (let j = 0; j < length; j++) {
        points.real[j] = Math.sin(j * j + 1);
        points.imaginary[j] = Math.cos(3 * j);
      }
      const { real, imaginary } = { real: points.real.slice(), imaginary: points.imaginary.slice() };
      fourierTransform(length).transform(points);
      for (let k = 0; k < length; k++) {
        let sumReal = 0;
        let sumImaginary = 0;
        for (let j = 0; j < length; j++) {
          const angle = (-2 * Math.PI * ((j * k) % length)) / length;
          sumReal += real[j]! * Math.cos(angle) - imaginary[j]! * Math.sin(angle);
          sumImaginary += real[j]! * Math.sin(angle) + imaginary[j]! * Math.cos(angle);
        }
        expect(
          Math.abs(points.real[k]! - sumReal) + Math.abs(points.imaginary[k]! - sumImaginary),
        ).toBeLessThan(1e-11);
      }
    }
  });

  it('linear complexities agree with a register bit by bit', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('random', 'zeros', 'late', 'short register'), {
          minLength: 1,
          maxLength: 40,
        }),
        fc.integer({ min: 1 }),
        (kinds, seed) => {
          const bits = kinds.flatMap((kind, i) => blockOf(kind, seed + i));
          const bytes = new Uint8Array(Math.ceil(bits.length / 8));
          for (const [i, bit] of bits.entries()) bytes[i >>> 3]! |= bit << (7 - (i & 7));
          const actual = linearComplexities(bitSequence(bytes, bits.length), 500, kinds.length);
          const expected = kinds.map((_, i) => registerLength(bits.slice(i * 500, (i + 1) * 500)));
          expect([...actual]).toEqual(expected);
        },
      ),
      { numRuns: 12 },
    );
  });
});

/** 500 bits of one kind. */
function blockOf(kind: string, seed: number): number[] {
  let state = seed >>> 0;
  const random = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 31;
  };
  if (kind === 'zeros') return Array.from({ length: 500 }, () => 0);
  if (kind === 'late') return Array.from({ length: 500 }, (_, i) => (i === 499 - (seed % 60) ? 1 : 0));
  const bits = Array.from({ length: 500 }, random);
  if (kind === 'short register') {
    for (let i = 13; i < 500; i++) bits[i] = bits[i - 13]! ^ bits[i - 4]! ^ bits[i - 3]! ^ bits[i - 1]!;
  }
  return bits;
}

/** Berlekamp and Massey's algorithm on single bits. */
function registerLength(bits: readonly number[]): number {
  let connection = [1];
  let former = [1];
  let length = 0;
  let since = 1;
  for (let n = 0; n < bits.length; n++) {
    let difference = 0;
    for (let i = 0; i <= length; i++) difference ^= (connection[i] ?? 0) & bits[n - i]!;
    if (difference === 0) {
      since++;
      continue;
    }
    const before = connection;
    connection = before.slice();
    for (const [i, coefficient] of former.entries()) {
      connection[i + since] = (connection[i + since] ?? 0) ^ (coefficient ?? 0);
    }
    if (2 * length <= n) {
      length = n + 1 - length;
      former = before;
      since = 1;
    } else {
      since++;
    }
  }
  return length;
}
