import { createHmac } from 'node:crypto';
import { concat, utf8 } from '@symmetra/crypto';
import { condition, leftoverHashBits, outputEntropy } from '@symmetra/entropy';
import { describe, expect, it } from 'vitest';

/** nIn, nOut, nw, hIn; bits and log2 epsilon of the formula, worked out with 1,500 decimal digits. */
const OUTPUT_ENTROPY: readonly (readonly [number, number, number, number, number, number])[] = [
  [1024, 256, 256, 800, 256, -387.2356168],
  [320, 256, 256, 320, 255.999999993672, -35.23561682],
  [512, 384, 384, 448, 384, -67.52809806],
  [2048, 384, 384, 448, 384, -72.05619613],
  [1024, 256, 256, 256, 255, -8],
  [256, 256, 256, 200, 200, -2.192645078],
  [256, 256, 256, 256, 251.689764568727, -5.892233326],
  [512, 256, 128, 300, 128, -1],
  [64, 8, 8, 2.5, 2.47399201259047, -0.5337623525],
  [1000, 64, 64, 0, 0, 0],
  [4096, 384, 512, 2000, 384, -1624.056196],
  [8, 8, 8, 4, 3.91753783980803, -0.9705604863],
  [1, 1, 1, 0.5, 0, 0],
  [128, 128, 128, 128, 124.159952384753, -5.0588758],
  [100, 64, 64, 64.5, 63.2284466968364, -6.374162265],
];

describe('Output_Entropy of SP 800-90B, 3.1.5', () => {
  it.each(OUTPUT_ENTROPY)(
    'vetted, nIn %d, nOut %d, nw %d, hIn %d',
    (nIn, nOut, nw, hIn, bits, epsilonLog2) => {
      const conditioned = outputEntropy({ nIn, nOut, nw, hIn, vetted: true });
      expect(conditioned.bits).toBeCloseTo(bits, 10);
      expect(conditioned.epsilonLog2).toBeCloseTo(epsilonLog2, 6);
    },
  );

  it('caps what is not vetted at 0.999 of its output and at what was measured', () => {
    const sizes = { nIn: 2048, nOut: 1024, nw: 1024, hIn: 1800, vetted: false } as const;
    expect(outputEntropy({ ...sizes, hMeasured: 1 }).bits).toBeCloseTo(0.999 * 1024, 10);
    expect(outputEntropy({ ...sizes, hMeasured: 0.9 }).bits).toBeCloseTo(0.9 * 1024, 10);
    expect(outputEntropy({ ...sizes, hMeasured: 0.9 }).epsilonLog2).toBeCloseTo(Math.log2(0.1), 10);
    expect(outputEntropy({ ...sizes, hIn: 300, hMeasured: 1 }).bits).toBeCloseTo(300, 6);
  });
});

/** n, h, log2 epsilon, m. */
const LEFTOVER: readonly (readonly [number, number, number, number])[] = [
  [1024, 0.9, -64, 793],
  [2048, 0.9, -64, 1715],
  [4096, 0.9, -64, 3558],
  [4096, 0.9, -100, 3486],
  [4096, 0.5, -100, 1848],
  [65_536, 0.95, -100, 62_059],
  [2048, 0.05, -64, 0],
];

describe('the leftover hash lemma', () => {
  it.each(LEFTOVER)('%d bits at %d, within 2^%d: %d bits', (n, h, epsilonLog2, m) => {
    expect(leftoverHashBits(n, h, epsilonLog2)).toBe(m);
  });
});

describe('the conditioner', () => {
  it('is HMAC-SHA-384 of the parts with their lengths in front', () => {
    const alpha = Uint8Array.from({ length: 56 }, (_, i) => i);
    const beta = utf8('beta');
    const message = concat(
      Uint8Array.of(0, 0, 0, 2),
      Uint8Array.of(0, 0, 0, 5),
      utf8('alpha'),
      Uint8Array.of(0, 0, 0, 56),
      alpha,
      Uint8Array.of(0, 0, 0, 2),
      utf8('os'),
      Uint8Array.of(0, 0, 0, 4),
      beta,
    );
    const hmac = createHmac('sha384', 'symmetra entropy conditioner, HMAC-SHA-384, version 1').update(
      message,
    );
    const seed = condition([
      { source: 'alpha', bytes: alpha, entropyBits: 448 },
      { source: 'os', bytes: beta, entropyBits: 0 },
    ]);
    expect(seed).toEqual(new Uint8Array(hmac.digest()));
  });
});
