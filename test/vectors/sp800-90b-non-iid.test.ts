import { readFileSync } from 'node:fs';
import { assessNonIid, mostCommonValueEstimate } from '@symmetra/battery';
import type { NonIidAssessment } from '@symmetra/battery';
import { describe, expect, it } from 'vitest';
import { constantBits } from './constants-bits.js';
import { sequence } from './sp800-90b-sequences.js';
import type { SequenceDescription } from './sp800-90b-sequences.js';

interface Expected {
  readonly minEntropy: number;
  readonly original: number;
  readonly bitstring?: number;
  readonly estimators: Readonly<Record<string, number>>;
  readonly steps: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

const file = new URL('sp800-90b-non-iid.json', import.meta.url);
const { sequences, pi } = JSON.parse(readFileSync(file, 'utf8')) as {
  readonly sequences: readonly (SequenceDescription & Expected)[];
  readonly pi: Expected;
};

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

function expectAssessment(got: NonIidAssessment, expected: Expected): void {
  expect(Object.keys(got.estimators).toSorted()).toEqual(Object.keys(expected.estimators).toSorted());
  expectNumbers(got.estimators, expected.estimators, 'estimator');
  for (const [name, steps] of Object.entries(expected.steps)) {
    expectNumbers(got.steps[name] ?? {}, steps, name);
  }
  const { minEntropy, original, bitstring } = expected;
  expect(got.bitstring === undefined).toBe(bitstring === undefined);
  expectNumbers(
    { minEntropy: got.minEntropy, original: got.original, bitstring: got.bitstring ?? Number.NaN },
    { minEntropy, original, ...(bitstring === undefined ? {} : { bitstring }) },
    'assessment',
  );
}

/**
 * The file holds a text of pi: a 1 and the first 1,004,881 bits in lines of 25, and for each of the
 * four characters around a line a 1 too (two before the line, two after it).
 */
function shippedPi(): Uint8Array {
  const bits = 1_004_881;
  const packed = constantBits('pi', bits);
  const digits = Uint8Array.from({ length: bits + 1 }, (_, i) =>
    i === 0 ? 1 : ((packed[(i - 1) >>> 3] as number) >>> (7 - ((i - 1) & 7))) & 1,
  );
  const lines = Math.ceil(digits.length / 25);
  const samples = new Uint8Array(digits.length + 4 * lines).fill(1);
  for (let line = 0; line < lines; line++) {
    samples.set(digits.subarray(line * 25, (line + 1) * 25), line * 29 + 2);
  }
  return samples;
}

describe('SP 800-90B non-IID estimators equal NIST ea_non_iid', () => {
  it.each(sequences)('$kind, $bitsPerSample bits, $samples samples', (vector) => {
    const got = assessNonIid(sequence(vector), vector.bitsPerSample);
    expect(got.minEntropy).toBeCloseTo(vector.minEntropy, 6);
    expectAssessment(got, vector);
  });

  it('the bits of pi, as in the data.pi that the tool ships', () => {
    const got = assessNonIid(shippedPi(), 1);
    expect(got.minEntropy).toBeCloseTo(0.5695375934577747, 9);
    expectAssessment(got, pi);
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
