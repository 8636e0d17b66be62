import { readFileSync } from 'node:fs';
import {
  binomialProbability,
  binomialTail,
  chiSquareSurvival,
  criticalBinomial,
  criticalBinomialAtTail,
  erfc,
  igamc,
  normalCdf,
} from '@symmetra/battery';
import { describe, expect, it } from 'vitest';

/** Values computed once with 400-digit arithmetic and rounded to doubles. */
const vectors = JSON.parse(readFileSync(new URL('sp800-22-special.json', import.meta.url), 'utf8')) as {
  readonly igamc: readonly (readonly [a: number, x: number, value: number])[];
  readonly erfc: readonly (readonly [x: number, value: number])[];
  readonly binomialTail: readonly (readonly [n: number, p: number, k: number, value: number])[];
};

function relativeError(actual: number, expected: number): number {
  return Math.abs(actual / expected - 1);
}

describe('special functions of the batteries', () => {
  it('igamc agrees with long arithmetic to 1e-12, far tails included', () => {
    expect(vectors.igamc.length).toBeGreaterThan(100);
    expect(Math.min(...vectors.igamc.map((row) => row[2]))).toBeLessThan(1e-275);
    for (const [a, x, value] of vectors.igamc) {
      expect(relativeError(igamc(a, x), value), `igamc(${a}, ${x})`).toBeLessThan(1e-12);
    }
  });

  it('igamc holds at its borders', () => {
    expect(igamc(3, 0)).toBe(1);
    expect(igamc(3, -1)).toBe(1);
    expect(igamc(3, Infinity)).toBe(0);
    expect(igamc(3, 1e6)).toBe(0);
    expect(igamc(2.5, 4.333033 / 2)).toBeCloseTo(0.502529, 6);
    expect(chiSquareSurvival(4.333033, 5)).toBe(igamc(2.5, 4.333033 / 2));
    for (const [a, x] of [
      [0, 1],
      [-1, 1],
      [Number.NaN, 1],
      [1, Number.NaN],
      [Infinity, 1],
    ] as const) {
      expect(() => igamc(a, x)).toThrow(expect.objectContaining({ code: 'BATTERY_BAD_ARGUMENT' }));
    }
  });

  it('erfc agrees with long arithmetic to 1e-13 and normalCdf follows it', () => {
    for (const [x, value] of vectors.erfc) {
      expect(relativeError(erfc(x), value), `erfc(${x})`).toBeLessThan(1e-13);
    }
    expect(erfc(30)).toBe(0);
    expect(erfc(-30)).toBe(2);
    expect(erfc(Number.NaN)).toBeNaN();
    expect(normalCdf(0)).toBe(0.5);
    expect(relativeError(normalCdf(-1.6448536269514722), 0.05)).toBeLessThan(1e-13);
  });

  it('binomialTail agrees with exact sums to 1e-12', () => {
    for (const [n, p, k, value] of vectors.binomialTail) {
      expect(relativeError(binomialTail(n, p, k), value), `tail(${n}, ${p}, ${k})`).toBeLessThan(1e-12);
    }
    expect(binomialTail(10, 0.5, 0)).toBe(1);
    expect(binomialTail(10, 0.5, 11)).toBe(0);
    expect(binomialTail(10, 1, 10)).toBe(1);
    expect(binomialTail(10, 0, 1)).toBe(0);
    expect(relativeError(binomialProbability(4, 0.5, 2), 0.375)).toBeLessThan(1e-14);
    expect(binomialProbability(4, 0.5, 5)).toBe(0);
  });

  it('critical values are those of CRITBINOM, to confidences that 1 - alpha cannot hold', () => {
    for (const [n, p, alpha, cutoff] of [
      [1024, 2 ** -0.1, 2 ** -20, 991],
      [1024, 2 ** -0.5, 2 ** -30, 810],
      [1024, 0.5, 2 ** -20, 589],
      [1024, 0.5, 2 ** -40, 625],
      [512, 0.5, 2 ** -30, 325],
      [512, 2 ** -7.5, 2 ** -40, 22],
      [512, 2 ** -8, 2 ** -20, 13],
    ] as const) {
      expect(1 + criticalBinomial(n, p, 1 - alpha)).toBe(cutoff);
      expect(1 + criticalBinomialAtTail(n, p, alpha)).toBe(cutoff);
    }
    const far = criticalBinomialAtTail(1024, 0.5, 2 ** -60);
    expect(binomialTail(1024, 0.5, far + 1)).toBeLessThanOrEqual(2 ** -60);
    expect(binomialTail(1024, 0.5, far)).toBeGreaterThan(2 ** -60);
  });

  it('refuses parameters that describe no binomial variable', () => {
    const refused = expect.objectContaining({ code: 'BATTERY_BAD_ARGUMENT' }) as Error;
    expect(() => binomialTail(-1, 0.5, 0)).toThrow(refused);
    expect(() => binomialTail(1.5, 0.5, 0)).toThrow(refused);
    expect(() => binomialProbability(3, 1.5, 0)).toThrow(refused);
    expect(() => binomialProbability(3, 0.5, 0.5)).toThrow(refused);
    expect(() => criticalBinomial(3, Number.NaN, 0.5)).toThrow(refused);
    expect(() => criticalBinomial(3, 0.5, 1)).toThrow(refused);
    expect(() => criticalBinomialAtTail(3, 0.5, 0)).toThrow(refused);
  });
});
