import { chiSquareSurvival, ent, erfc, sp80022 } from '@symmetra/battery';
import {
  fairCoinsSize,
  fairCoinsTail,
  longRunSize,
  repetitionsSize,
  repetitionsTail,
} from './false-alarms.js';
import type { GateBits } from './gate-bits.js';

/** Distances at which neighbours are compared, beside that of 1: of nibbles, bytes, words, and small ones. */
const LAGS = [2, 3, 4, 8, 16, 32, 64] as const;
const NIBBLE_DEGREES = 15;

/** The tests whose figure is a count: how often good data look worse is known exactly, and comes in steps. */
export const COUNTING_TESTS = [
  'frequency',
  'runs',
  ...LAGS.map((lag) => `lag${lag}` as const),
  'longRun',
  'repeatedWords',
] as const;
/** The tests whose p-value is continuous, up to what the limit distribution leaves out. */
export const CONTINUOUS_TESTS = [
  'poker',
  'byteFrequencies',
  'serialCorrelation',
  'BlockFrequency',
  'LongestRun',
  'Serial1',
  'Serial2',
] as const;
/** Those of them whose steps are so fine that their p-values are as good as continuous. */
const FINE_TESTS = COUNTING_TESTS.filter((test) => test !== 'longRun' && test !== 'repeatedWords');

export type CountingTest = (typeof COUNTING_TESTS)[number];
export type GateTest = CountingTest | (typeof CONTINUOUS_TESTS)[number];

/** The tests whose p-values good data have uniform, so that many buffers can be looked at together. */
export const UNIFORM_GATE_TESTS: readonly GateTest[] = [...FINE_TESTS, ...CONTINUOUS_TESTS];

/**
 * The p-values of the tests that count.
 * @param longRuns the p-value of a longest run, for the length of `bits`; it takes time, and few values occur.
 */
export function countingPValues(
  bits: GateBits,
  longRuns: (run: number) => number,
): Record<CountingTest, number> {
  const { length } = bits;
  const apart = (lag: number): number => fairCoinsTail(length - lag, bits.differences(lag));
  const words = length / 32;
  return {
    frequency: fairCoinsTail(length, bits.ones()),
    runs: apart(1),
    lag2: apart(2),
    lag3: apart(3),
    lag4: apart(4),
    lag8: apart(8),
    lag16: apart(16),
    lag32: apart(32),
    lag64: apart(64),
    longRun: longRuns(bits.longestRun()),
    repeatedWords: repetitionsTail(words, bits.repeatedWords()),
  };
}

/** The rate of false alarms of a test that counts when it rejects at `alpha`: at most that, by the steps of the count. */
export function countingSize(test: CountingTest, length: number, alpha: number): number {
  switch (test) {
    case 'longRun':
      return longRunSize(length, alpha);
    case 'repeatedWords':
      return repetitionsSize(length / 32, alpha);
    case 'frequency':
      return fairCoinsSize(length, alpha);
    case 'runs':
      return fairCoinsSize(length - 1, alpha);
    default:
      return fairCoinsSize(length - Number(test.slice('lag'.length)), alpha);
  }
}

/** The p-values of the others. */
export function continuousPValues(
  bytes: Uint8Array,
  bits: GateBits,
): Record<(typeof CONTINUOUS_TESTS)[number], number> {
  const { chiSquare, serialCorrelation } = ent(bytes);
  const {
    BlockFrequency: [blockFrequency = 0],
    LongestRun: [longestRun = 0],
    Serial: [serial1 = 0, serial2 = 0],
  } = sp80022(bytes, { profile: 'corrected', tests: ['BlockFrequency', 'LongestRun', 'Serial'] });
  return {
    poker: bothSides(chiSquareSurvival(bits.pokerStatistic(), NIBBLE_DEGREES)),
    byteFrequencies: bothSides(chiSquare.probability),
    serialCorrelation: correlationTail(serialCorrelation, bytes.length),
    BlockFrequency: blockFrequency,
    LongestRun: longestRun,
    Serial1: serial1,
    Serial2: serial2,
  };
}

/** Too even is as bad as too uneven. */
function bothSides(upperTail: number): number {
  return Math.min(1, 2 * Math.min(upperTail, 1 - upperTail));
}

/** Of good data the coefficient is normal with mean -1/(n-1) and variance 1/n; bytes that are all equal have none. */
function correlationTail(coefficient: number, n: number): number {
  if (Number.isNaN(coefficient)) return 0;
  return erfc(Math.abs(coefficient + 1 / (n - 1)) * Math.sqrt(n / 2));
}
