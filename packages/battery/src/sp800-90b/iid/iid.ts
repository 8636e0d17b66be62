import { mostCommonValueEstimate } from '../most-common-value.js';
import { bitstringOf, mapAlphabet, requireSamples } from '../samples.js';
import { goodnessOfFitTest, independenceTest } from './chi-square.js';
import type { ChiSquareTest } from './chi-square.js';
import { longestRepeatTest } from './longest-repeat.js';
import type { LongestRepeatTest } from './longest-repeat.js';
import { permutationTest } from './permutation.js';
import type { OnPermutation, PermutationTest } from './permutation.js';

export interface IidOptions {
  /** 16 bytes for the permutations: recorded in the result. */
  readonly seed: Uint8Array;
  readonly onPermutation?: OnPermutation;
}

export interface IidAssessment {
  /** Whether nothing speaks against samples that are independent and identically distributed. */
  readonly iid: boolean;
  /** Bits per sample by the most common value alone: valid only when `iid`. min(original, bitsPerSample * bitstring). */
  readonly minEntropy: number;
  readonly original: number;
  /** Bits per bit of the bitstring; absent where the samples are binary. */
  readonly bitstring?: number;
  readonly independence: ChiSquareTest;
  readonly goodnessOfFit: ChiSquareTest;
  readonly longestRepeat: LongestRepeatTest;
  readonly permutation: PermutationTest;
}

/**
 * The IID track of SP 800-90B clause 5, as NIST's ea_iid: chi-square tests, the longest repeated
 * substring, and up to 10,000 permutations. `samples` has one sample per byte.
 *
 * Samples that are not independent take all 10,000 permutations, hours for a million of them:
 * `onPermutation` reports, and the other tests tell sooner.
 *
 * @throws SymmetraError BATTERY_BAD_ARGUMENT, BATTERY_TOO_FEW_SAMPLES (below 10,000),
 *   BATTERY_SAMPLE_RANGE
 */
export function assessIid(samples: Uint8Array, bitsPerSample: number, options: IidOptions): IidAssessment {
  requireSamples(samples, bitsPerSample);
  const sequence = mapAlphabet(samples);
  const independence = independenceTest(sequence);
  const goodnessOfFit = goodnessOfFitTest(sequence);
  const longestRepeat = longestRepeatTest(sequence);
  const permutation = permutationTest(samples, sequence, options.seed, options.onPermutation);
  return {
    iid: independence.passed && goodnessOfFit.passed && longestRepeat.passed && permutation.passed,
    ...mostCommonValueOf(samples, bitsPerSample, sequence.alphabetSize > 2),
    independence,
    goodnessOfFit,
    longestRepeat,
    permutation,
  };
}

function mostCommonValueOf(
  samples: Uint8Array,
  bitsPerSample: number,
  withBitstring: boolean,
): Pick<IidAssessment, 'minEntropy' | 'original' | 'bitstring'> {
  const original = mostCommonValueEstimate(samples).minEntropy;
  if (!withBitstring) return { minEntropy: original, original };
  const bitstring = mostCommonValueEstimate(bitstringOf(samples, bitsPerSample).symbols).minEntropy;
  return { minEntropy: Math.min(original, bitsPerSample * bitstring), original, bitstring };
}
