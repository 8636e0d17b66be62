import { readFileSync } from 'node:fs';
import { assessRestarts, criticalBinomialAtTail } from '@symmetra/battery';
import { describe, expect, it } from 'vitest';
import { sequence } from './sp800-90b-sequences.js';
import type { SequenceDescription } from './sp800-90b-sequences.js';

interface RestartVector extends SequenceDescription {
  readonly initialEntropy: number;
  readonly highest: number;
  readonly simulatedCutoff: number;
  readonly rows: Readonly<Record<string, number>>;
  readonly columns: Readonly<Record<string, number>>;
}

const file = new URL('sp800-90b-restart.json', import.meta.url);
const { matrices } = JSON.parse(readFileSync(file, 'utf8')) as { matrices: readonly RestartVector[] };

const samples = 1_000_000;
/** Milliseconds that a whole assessment may take on a busy machine. */
const patience = 120_000;
const still = new Uint8Array(samples);

describe('the restart test of SP 800-90B', () => {
  it.each(matrices)('equals NIST ea_restart: $kind, $bitsPerSample bits', { timeout: patience }, (vector) => {
    const names: string[] = [];
    const result = assessRestarts(sequence(vector), vector.bitsPerSample, vector.initialEntropy, {
      onEstimator: (name, done, total) => {
        names.push(`${name} ${done}/${total}`);
      },
    });
    const { sanityCheck } = result;
    expect(Math.max(sanityCheck.highestInRow, sanityCheck.highestInColumn)).toBe(vector.highest);
    expect(Math.abs(sanityCheck.cutoff - vector.simulatedCutoff)).toBeLessThanOrEqual(1);
    expect(sanityCheck.alpha).toBeCloseTo(5.0251553006530614e-6, 18);
    if (result.verdict !== 'validated') throw new Error(result.verdict);
    for (const side of ['rows', 'columns'] as const) {
      expect(Object.keys(result[side].estimators).toSorted()).toEqual(Object.keys(vector[side]).toSorted());
      for (const [name, value] of Object.entries(vector[side])) {
        expect(result[side].estimators[name], `${side} ${name}`).toBeCloseTo(value, 6);
      }
    }
    const least = Math.min(...Object.values(vector.rows), ...Object.values(vector.columns));
    expect(result.minEntropy).toBeCloseTo(Math.min(least, vector.initialEntropy), 6);
    const total = 2 * Object.keys(vector.rows).length;
    expect([names.length, names.at(-1)]).toEqual([total, `columns.lz78y ${total}/${total}`]);
  });

  it('refuses a source that says the same after every restart', () => {
    const row = sequence({ kind: 'uniform', bitsPerSample: 1, samples: 1000, seed: 5 });
    const matrix = Uint8Array.from({ length: samples }, (_, i) => row[i % 1000] as number);
    const result = assessRestarts(matrix, 1, 0.9);
    expect(result).toMatchObject({ verdict: 'sanity-check-failed', minEntropy: 0 });
    expect(result.sanityCheck).toMatchObject({ passed: false, highestInColumn: 1000 });
    expect(result.sanityCheck.highestInRow).toBeLessThanOrEqual(result.sanityCheck.cutoff);
  });

  it('awards nothing below half of the claim', { timeout: patience }, () => {
    const matrix = Uint8Array.from({ length: samples }, (_, i) => (i + Math.floor(i / 1000)) % 2);
    const result = assessRestarts(matrix, 1, 1);
    expect(result).toMatchObject({
      verdict: 'below-half-of-claim',
      minEntropy: 0,
      sanityCheck: { passed: true, highestInRow: 500, highestInColumn: 500 },
    });
  });

  it.each([0.1, 0.3, 0.5, 0.83])('has the binomial cutoff for the claim %d', (claim) => {
    const { cutoff, alpha } = assessRestarts(still, 1, claim).sanityCheck;
    expect(cutoff).toBe(criticalBinomialAtTail(1000, 2 ** -claim, alpha));
  });

  it('has the cutoff of either of two even symbols', () => {
    const { cutoff, alpha } = assessRestarts(still, 1, 1).sanityCheck;
    expect(cutoff).toBe(criticalBinomialAtTail(1000, 0.5, alpha / 2));
  });

  it.each([
    [2, 316],
    [4, 104],
    [8, 19],
  ])('has the cutoff of 2^%d even symbols', (claim, cutoff) => {
    const { sanityCheck } = assessRestarts(still, 8, claim);
    expect(sanityCheck.cutoff).toBe(cutoff);
    expect(cutoff).toBe(criticalBinomialAtTail(1000, 2 ** -claim, sanityCheck.alpha / 2 ** claim));
  });

  it('lets a source without entropy pass for what it is', () => {
    expect(assessRestarts(still, 1, 0)).toMatchObject({ verdict: 'validated', minEntropy: 0 });
  });

  it('refuses other matrices and impossible claims', () => {
    const badArgument = expect.objectContaining({ code: 'BATTERY_BAD_ARGUMENT' });
    expect(() => assessRestarts(still.subarray(1), 1, 0.5)).toThrow(badArgument);
    expect(() => assessRestarts(still, 1, 1.1)).toThrow(badArgument);
    expect(() => assessRestarts(still, 1, Number.NaN)).toThrow(badArgument);
    expect(() => assessRestarts(still, 9, 1)).toThrow(badArgument);
    expect(() => assessRestarts(still.with(9, 2), 1, 1)).toThrow(
      expect.objectContaining({ code: 'BATTERY_SAMPLE_RANGE', details: { offset: 9, bitsPerSample: 1 } }),
    );
  });
});
