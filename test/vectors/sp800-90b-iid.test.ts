import { readFileSync } from 'node:fs';
import { assessIid } from '@symmetra/battery';
import type { IidAssessment } from '@symmetra/battery';
import { describe, expect, it } from 'vitest';
import { sequence } from './sp800-90b-sequences.js';
import type { SequenceDescription } from './sp800-90b-sequences.js';

interface ChiSquareVector {
  readonly statistic: number;
  readonly degreesOfFreedom: number;
  readonly p: number;
}

interface IidVector extends SequenceDescription {
  readonly minEntropy: number;
  readonly independence: ChiSquareVector;
  readonly goodnessOfFit: ChiSquareVector;
  readonly longestRepeat: {
    readonly pCollision: number;
    readonly length: number;
    readonly probability: number;
  };
  readonly statistics: Readonly<Record<string, number>>;
}

const file = new URL('sp800-90b-iid.json', import.meta.url);
const { sequences } = JSON.parse(readFileSync(file, 'utf8')) as { sequences: readonly IidVector[] };

const seed = Uint8Array.from({ length: 16 }, (_, i) => i + 1);
const uniform = (samples: number): Uint8Array =>
  sequence({ kind: 'uniform', bitsPerSample: 4, samples, seed: 77 });

/** Equal to 9 digits, of small and of large numbers. */
function expectNear(got: number, expected: number, what: string): void {
  const error = Math.abs(got - expected) / Math.max(1, Math.abs(expected));
  expect(error, `${what}: ${got} for ${expected}`).toBeLessThan(1e-9);
}

function failedStatistics({ permutation }: IidAssessment): readonly string[] {
  return Object.entries(permutation.statistics)
    .filter(([, { passed }]) => !passed)
    .map(([name]) => name);
}

describe('the IID track of SP 800-90B equals NIST ea_iid', () => {
  it.each(sequences)('$kind, $bitsPerSample bits, $samples samples', (vector) => {
    const result = assessIid(sequence(vector), vector.bitsPerSample, { seed });
    expectNear(result.minEntropy, vector.minEntropy, 'minEntropy');
    for (const name of ['independence', 'goodnessOfFit'] as const) {
      expectNear(result[name].statistic, vector[name].statistic, name);
      expect(result[name].degreesOfFreedom).toBe(vector[name].degreesOfFreedom);
      expectNear(result[name].p, vector[name].p, `p of ${name}`);
      expect(result[name].passed).toBe(vector[name].p >= 0.001);
    }
    expectNear(result.longestRepeat.pCollision, vector.longestRepeat.pCollision, 'pCollision');
    expect(result.longestRepeat.length).toBe(vector.longestRepeat.length);
    expectNear(result.longestRepeat.probability, vector.longestRepeat.probability, 'probability');
    for (const [name, { original }] of Object.entries(result.permutation.statistics)) {
      expectNear(original, vector.statistics[name] ?? Number.NaN, name);
    }
    expect(Object.keys(vector.statistics)).toHaveLength(19);
    expect(failedStatistics(result)).toEqual([]);
    expect(result.permutation.passed).toBe(true);
    expect(result.iid).toBe(result.independence.passed && result.goodnessOfFit.passed);
  });
});

describe('the permutations of the IID track', () => {
  it('are those of the recorded seed', () => {
    const samples = uniform(10_000);
    const open: number[] = [];
    const result = assessIid(samples, 4, {
      seed,
      onPermutation: (done, total, names) => {
        expect([done, total]).toEqual([open.push(names.length), 10_000]);
      },
    });
    expect(open).toEqual(open.toSorted((a, b) => b - a));
    expect([open.length, open.at(-1)]).toEqual([result.permutation.permutations, 0]);
    expect(result.permutation).toMatchObject({ generator: 'xoshiro128**', seed });
    expect(assessIid(samples, 4, { seed: result.permutation.seed })).toEqual(result);
    const other = assessIid(samples, 4, { seed: seed.toReversed() });
    expect(other.permutation.statistics.excursion.original).toBe(
      result.permutation.statistics.excursion.original,
    );
    expect(other.permutation.statistics).not.toEqual(result.permutation.statistics);
  });

  it('find what comes back after 32 samples, or turns round after 8, and nothing else', () => {
    const samples = uniform(10_000);
    for (let i = 32; i < samples.length; i += 9) samples[i] = samples[i - 32] as number;
    for (let i = 40; i < samples.length; i += 9) samples[i] = 15 - (samples[i - 8] as number);
    const result = assessIid(samples, 4, { seed });
    expect(failedStatistics(result)).toEqual(['periodicity32', 'covariance8', 'covariance32']);
    expect(result.permutation.statistics.covariance8.higher).toBeGreaterThan(9_990);
    expect(result.permutation.permutations).toBe(10_000);
    expect(result.iid).toBe(false);
    const { higher, equal, lower } = result.permutation.statistics.periodicity32;
    expect(higher + equal + lower).toBe(10_000);
    expect(higher + equal).toBeLessThanOrEqual(5);
  });

  it.each([new Uint8Array(16), new Uint8Array(15).fill(1)])('need a seed', (bad) => {
    expect(() => assessIid(uniform(10_000), 4, { seed: bad })).toThrow(
      expect.objectContaining({ code: 'BATTERY_BAD_ARGUMENT', details: { bytes: bad.length } }),
    );
  });
});

describe('the IID track finds', () => {
  it('a copied stretch by the longest repeated substring', () => {
    const samples = uniform(10_000);
    samples.copyWithin(7_000, 1_000, 1_040);
    const { iid, longestRepeat } = assessIid(samples, 4, { seed });
    expect(longestRepeat).toMatchObject({ passed: false });
    expect(longestRepeat.length).toBeGreaterThanOrEqual(40);
    expect(iid).toBe(false);
  });

  it('too few samples and samples too wide', () => {
    expect(() => assessIid(uniform(9_999), 4, { seed })).toThrow(
      expect.objectContaining({ code: 'BATTERY_TOO_FEW_SAMPLES' }),
    );
    expect(() => assessIid(uniform(10_000), 3, { seed })).toThrow(
      expect.objectContaining({ code: 'BATTERY_SAMPLE_RANGE' }),
    );
  });
});
