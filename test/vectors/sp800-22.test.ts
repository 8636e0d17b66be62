import { readFileSync } from 'node:fs';
import { SP80022_TESTS, sp80022 } from '@symmetra/battery';
import type { Sp80022TestName } from '@symmetra/battery';
import { describe, expect, it } from 'vitest';
import { bitSequence } from '../../packages/battery/src/sp800-22/bit-sequence.js';
import { frequencyTest } from '../../packages/battery/src/sp800-22/frequency.js';
import { approximateEntropyTest, serialTest } from '../../packages/battery/src/sp800-22/patterns.js';
import { constantBits, constantNames } from './constants-bits.js';
import type { ConstantName } from './constants-bits.js';
import { flawedBits } from './sp800-22-flawed.js';

type PValues = Readonly<Record<Sp80022TestName, readonly number[]>>;

/** p-values of NIST's program, six digits; empty where it writes 0, 1 or nan because a test does not apply. */
const program = JSON.parse(readFileSync(new URL('sp800-22-sts.json', import.meta.url), 'utf8')) as {
  readonly sequences: readonly { readonly data: string; readonly bits: number; readonly tests: PValues }[];
};

const constants = new Map<ConstantName, Uint8Array>(
  constantNames.map((name) => [name, constantBits(name, 1_048_576)]),
);

function bytesOf(data: string, bits: number): Uint8Array {
  const constant = constantNames.find((name) => name === data);
  return constant === undefined ? flawedBits(data, bits) : constants.get(constant)!;
}

/** Values that match p-values printed with six digits. */
function sixDigits(printed: readonly number[]): unknown {
  return printed.map((p) => ({
    asymmetricMatch: (actual: unknown) => typeof actual === 'number' && Math.abs(actual - p) < 0.51e-6,
    toString: () => p.toFixed(6),
  }));
}

describe('SP 800-22, profile nist-sts-2.1.2', () => {
  it('knows enough sequences of the program', () => {
    expect(program.sequences.length).toBeGreaterThanOrEqual(30);
    expect(program.sequences.filter((one) => one.bits === 1_000_000).length).toBeGreaterThanOrEqual(4);
  });

  for (const { data, bits, tests } of program.sequences) {
    it(`equals the program on ${bits} bits of ${data}`, () => {
      const done: string[] = [];
      const actual = sp80022(bytesOf(data, bits), {
        profile: 'nist-sts-2.1.2',
        bits,
        onTest: (name) => done.push(name),
      });
      expect(done).toEqual([...SP80022_TESTS]);
      expect(Object.keys(actual)).toEqual([...SP80022_TESTS]);
      for (const name of SP80022_TESTS) expect(actual[name], name).toEqual(sixDigits(tests[name]));
    });
  }

  it('gives 188 p-values where every test applies', () => {
    const actual = sp80022(constants.get('pi')!, { profile: 'nist-sts-2.1.2', bits: 1_000_000 });
    expect(Object.values(actual).flat().length).toBe(188);
  });
});

describe('SP 800-22, profile corrected', () => {
  /** Figures of arcetri/sts v3, a corrected program, on 1,000,000 bits. */
  const corrected: Readonly<Record<ConstantName, Partial<Record<Sp80022TestName, number>>>> = {
    pi: {
      BlockFrequency: 0.584952,
      LongestRun: 0.027295,
      OverlappingTemplate: 0.260718,
      Universal: 0.687852,
    },
    e: { BlockFrequency: 0.698245, LongestRun: 0.718366, OverlappingTemplate: 0.159037, Universal: 0.63264 },
    sqrt2: {
      BlockFrequency: 0.233958,
      LongestRun: 0.013472,
      OverlappingTemplate: 0.828877,
      Universal: 0.227578,
    },
    sqrt3: {
      BlockFrequency: 0.68212,
      LongestRun: 0.464612,
      OverlappingTemplate: 0.080773,
      Universal: 0.118873,
    },
  };

  for (const data of constantNames) {
    it(`equals the corrected program on ${data}, and STS wherever nothing is corrected`, () => {
      const bytes = constants.get(data)!;
      const actual = sp80022(bytes, { profile: 'corrected', bits: 1_000_000 });
      const sts = sp80022(bytes, { profile: 'nist-sts-2.1.2', bits: 1_000_000 });
      for (const name of SP80022_TESTS) {
        const pinned = corrected[data][name];
        expect(actual[name], name).toEqual(sixDigits(pinned === undefined ? sts[name] : [pinned]));
      }
    });
  }

  it('has class probabilities of LongestRun that STS rounds to nine digits below 750,000 bits', () => {
    for (const bits of [128, 6271, 6272, 262_144, 749_999]) {
      const options = { bits, tests: ['LongestRun'] } as const;
      const sts = sp80022(constants.get('e')!, { profile: 'nist-sts-2.1.2', ...options });
      const actual = sp80022(constants.get('e')!, { profile: 'corrected', ...options });
      expect(actual.LongestRun).toEqual([expect.closeTo(sts.LongestRun[0]!, 6)]);
    }
  });

  it('does not apply below the lengths of the document', () => {
    const bytes = constants.get('e')!;
    const applicable = (bits: number): string[] => {
      const result = sp80022(bytes, { profile: 'corrected', bits });
      return SP80022_TESTS.filter((name) => result[name].length > 0);
    };
    expect(applicable(100)).toEqual(['Frequency', 'BlockFrequency', 'CumulativeSums', 'Runs']);
    expect(applicable(262_144)).toEqual([
      'Frequency',
      'BlockFrequency',
      'CumulativeSums',
      'Runs',
      'LongestRun',
      'Rank',
      'FFT',
      'NonOverlappingTemplate',
      'ApproximateEntropy',
      'Serial',
    ]);
    expect(applicable(999_999)).not.toContain('LinearComplexity');
    expect(applicable(1_000_000)).toEqual([...SP80022_TESTS]);
  });
});

describe('SP 800-22, worked examples of the document that check', () => {
  it('Frequency, Serial and ApproximateEntropy', () => {
    const frequency = frequencyTest(bitSequence(Uint8Array.of(0b10110101, 0b01000000), 10));
    expect(frequency, 'clause 2.1.4').toEqual(sixDigits([0.527089]));
    const serial = serialTest(bitSequence(Uint8Array.of(0b00110111, 0b01000000), 10), 3);
    expect(serial, 'clause 2.11.4').toEqual(sixDigits([0.808792, 0.67032]));
    const entropy = approximateEntropyTest(bitSequence(constants.get('pi')!, 100), 2);
    expect(entropy, 'clause 2.12.8').toEqual(sixDigits([0.235301]));
  });
});

describe('SP 800-22 as a function', () => {
  const fast = ['Runs', 'Serial', 'ApproximateEntropy', 'Frequency'] as const;

  it('runs a subset with the same results, in the order asked for', () => {
    const bytes = constants.get('sqrt2')!.subarray(0, 32_768);
    const all = sp80022(bytes, { profile: 'corrected' });
    const some = sp80022(bytes, { profile: 'corrected', tests: fast });
    expect(Object.keys(some)).toEqual([...fast]);
    for (const name of fast) expect(some[name]).toEqual(all[name]);
  });

  it('leaves the bytes as they were and does not look past the last bit', () => {
    const bytes = Uint8Array.from(constants.get('sqrt3')!.subarray(0, 5000));
    const copy = Uint8Array.from(bytes);
    const bits = 39_999;
    const first = sp80022(bytes, { profile: 'nist-sts-2.1.2', bits });
    expect(bytes).toEqual(copy);
    copy[4999]! ^= 1;
    expect(sp80022(copy, { profile: 'nist-sts-2.1.2', bits })).toEqual(first);
  });

  it('refuses too few bits, too many and broken numbers of them by name', () => {
    const run = (size: number, bits?: number) => () =>
      sp80022(new Uint8Array(size), { profile: 'corrected', ...(bits === undefined ? {} : { bits }) });
    const code = (name: string) => expect.objectContaining({ code: name }) as Error;
    expect(run(0)).toThrow(code('BATTERY_TOO_FEW_BITS'));
    expect(run(12)).toThrow(code('BATTERY_TOO_FEW_BITS'));
    expect(run(100, 99)).toThrow(code('BATTERY_TOO_FEW_BITS'));
    expect(run(100, 801)).toThrow(code('BATTERY_TOO_FEW_BITS'));
    expect(run(100, 100.5)).toThrow(code('BATTERY_BAD_ARGUMENT'));
    expect(run(100, Number.NaN)).toThrow(code('BATTERY_BAD_ARGUMENT'));
    expect(run(100, 2 ** 27 + 1)).toThrow(code('BATTERY_TOO_MANY_BITS'));
  });
});
