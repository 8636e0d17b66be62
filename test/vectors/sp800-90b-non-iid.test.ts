import { readFileSync } from 'node:fs';
import { assessNonIid, mostCommonValueEstimate } from '@symmetra/battery';
import { describe, expect, it } from 'vitest';
import { sequence } from './sp800-90b-sequences.js';
import type { SequenceDescription } from './sp800-90b-sequences.js';

interface NonIidVector extends SequenceDescription {
  readonly minEntropy: number;
  readonly original: number;
  readonly bitstring?: number;
  readonly estimators: Readonly<Record<string, number>>;
  readonly steps: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

const file = new URL('sp800-90b-non-iid.json', import.meta.url);
const { sequences } = JSON.parse(readFileSync(file, 'utf8')) as { sequences: readonly NonIidVector[] };

const tolerance = 1e-6;

/** Every expected number is there and within 1e-6. */
function expectNumbers(
  got: Readonly<Record<string, number>>,
  expected: Readonly<Record<string, number>>,
  place: string,
): void {
  for (const [name, value] of Object.entries(expected)) {
    expect(
      Math.abs((got[name] ?? Number.NaN) - value),
      `${place} ${name}: ${got[name]} for ${value}`,
    ).toBeLessThan(tolerance);
  }
}

describe('SP 800-90B non-IID estimators equal NIST ea_non_iid', () => {
  it.each(sequences)('$kind, $bitsPerSample bits, $samples samples', (vector) => {
    const result = assessNonIid(sequence(vector), vector.bitsPerSample);
    const { minEntropy, original, bitstring } = vector;
    expect(Object.keys(result.estimators).toSorted()).toEqual(Object.keys(vector.estimators).toSorted());
    expectNumbers(result.estimators, vector.estimators, 'estimator');
    for (const [name, steps] of Object.entries(vector.steps)) {
      expectNumbers(result.steps[name] ?? {}, steps, name);
    }
    expectNumbers(
      { minEntropy: result.minEntropy, original: result.original, bitstring: result.bitstring ?? Number.NaN },
      { minEntropy, original, ...(bitstring === undefined ? {} : { bitstring }) },
      'assessment',
    );
    expect(result.bitstring === undefined).toBe(bitstring === undefined);
  });

  it('reports every estimator in turn', () => {
    const seen: string[] = [];
    const samples = sequence({ kind: 'uniform', bitsPerSample: 2, samples: 10_000, seed: 1 });
    const { estimators } = assessNonIid(samples, 2, {
      onEstimator: (name, done, total) => {
        seen.push(name);
        expect([done, total]).toEqual([seen.length, 17]);
      },
    });
    expect(seen).toEqual(Object.keys(estimators));
  });

  it('gives no entropy to samples that never change', () => {
    const result = assessNonIid(new Uint8Array(10_000).fill(77), 8);
    expect(result).toMatchObject({ minEntropy: 0, original: 0, estimators: { mostCommonValue: 0 } });
  });

  it('takes samples that repeat with a period for what they are', () => {
    const samples = Uint8Array.from({ length: 10_000 }, (_, i) => i % 7);
    expect(assessNonIid(samples, 3).minEntropy).toBeLessThan(0.01);
  });
});

describe('SP 800-90B non-IID refuses', () => {
  const enough = new Uint8Array(10_000);

  it('fewer than 10,000 samples', () => {
    expect(() => assessNonIid(enough.subarray(1), 8)).toThrow(
      expect.objectContaining({
        code: 'BATTERY_TOO_FEW_SAMPLES',
        details: { samples: 9_999, minimum: 10_000 },
      }),
    );
  });

  it('a sample wider than its bits', () => {
    const samples = enough.with(4_321, 4);
    expect(() => assessNonIid(samples, 2)).toThrow(
      expect.objectContaining({
        code: 'BATTERY_SAMPLE_RANGE',
        details: { offset: 4_321, bitsPerSample: 2 },
      }),
    );
  });

  it.each([0, 9, 1.5, Number.NaN])('%d bits per sample', (bitsPerSample) => {
    expect(() => assessNonIid(enough, bitsPerSample)).toThrow(
      expect.objectContaining({ code: 'BATTERY_BAD_ARGUMENT' }),
    );
  });
});

describe('the most common value estimate', () => {
  it('is the same of samples and of their histogram', () => {
    const samples = sequence({ kind: 'normal', bitsPerSample: 4, samples: 5_000, seed: 3 });
    const counts = Array.from({ length: 16 }, (_, value) => samples.filter((s) => s === value).length);
    expect(mostCommonValueEstimate({ counts })).toEqual(mostCommonValueEstimate(samples));
  });

  it('is by the formula of clause 6.3.1', () => {
    const { minEntropy, steps } = mostCommonValueEstimate({ counts: [20, 30, 50] });
    expect(steps['pUpper']).toBeCloseTo(0.5 + 2.5758293035489008 * Math.sqrt(0.25 / 99), 12);
    expect(minEntropy).toBeCloseTo(0.66786, 5);
  });

  it('needs two samples', () => {
    expect(() => mostCommonValueEstimate({ counts: [1, 0] })).toThrow(
      expect.objectContaining({ code: 'BATTERY_TOO_FEW_SAMPLES' }),
    );
  });
});
