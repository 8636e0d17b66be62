import type {
  EntResult,
  Fips1402Result,
  IidAssessment,
  NonIidAssessment,
  Sp80022Profile,
  Sp80022Result,
} from '@symmetra/battery';
import { toHex } from '@symmetra/crypto';
import { columns } from './output.js';

/** What came of a battery: the fields for programs, the table for people. */
export interface BatteryRecord {
  readonly result: object;
  readonly sentences: readonly string[];
}

/** P-values below this are counted for people; of good data it is one in a hundred. */
const REMARKABLE = 0.01;

/** How many samples were assessed, and their width. */
export interface Sampling {
  readonly samples: number;
  readonly bitsPerSample: number;
}

export function sp80022Record(profile: Sp80022Profile, tests: Sp80022Result): BatteryRecord {
  const all = Object.values(tests).flat();
  const rows = Object.entries(tests).map(([name, pValues]) => pValueRow(name, pValues));
  const low = countLow(all);
  return {
    result: { profile, tests },
    sentences: [
      ...columns([['test', 'p-values', 'lowest', `below ${REMARKABLE}`], ...rows]),
      `SP 800-22, profile ${profile}: ${low} of ${all.length} p-values below ${REMARKABLE}; ` +
        `good data have about ${(all.length * REMARKABLE).toFixed(1)}`,
    ],
  };
}

function pValueRow(name: string, pValues: readonly number[]): string[] {
  if (pValues.length === 0) return [name, 'not applicable'];
  const lowest = Math.min(...pValues);
  return [name, String(pValues.length), lowest.toFixed(6), String(countLow(pValues))];
}

function countLow(pValues: readonly number[]): number {
  return pValues.filter((p) => p < REMARKABLE).length;
}

export function fips1402Record(found: Fips1402Result): BatteryRecord {
  const { blocks, failures, failedBlocks } = found;
  const rows = Object.entries({ ...failures, 'any test': failedBlocks }).map(([name, count]) => [
    name,
    String(count),
    `${((100 * count) / blocks).toFixed(3)} %`,
  ]);
  return {
    result: found,
    sentences: [
      ...columns([['test', 'failed', 'of the blocks'], ...rows]),
      `FIPS 140-2: ${failedBlocks} of ${blocks} blocks failed; of good data about 0.1 % do`,
    ],
  };
}

export function entRecord(found: EntResult): BatteryRecord {
  const { entropy, chiSquare, mean, monteCarloPi, serialCorrelation } = found;
  return {
    result: found,
    sentences: columns([
      ['figure', 'found', 'good data'],
      ['entropy, bits per byte', entropy.toFixed(6), '8'],
      ['chi-square, 255 degrees', chiSquare.statistic.toFixed(2), '255'],
      ['  exceeded by good data', `${(100 * chiSquare.probability).toFixed(2)} %`, '1 % to 99 %'],
      ['arithmetic mean', mean.toFixed(6), '127.5'],
      ['pi, Monte Carlo', monteCarloPi.toFixed(6), '3.141593'],
      ['serial correlation', serialCorrelation.toFixed(6), '0'],
    ]),
  };
}

export function nonIidRecord(sampling: Sampling, found: NonIidAssessment): BatteryRecord {
  const { samples, bitsPerSample } = sampling;
  const { minEntropy, original, bitstring, estimators } = found;
  const rows = Object.entries(estimators).map(([name, value]) => [name, value.toFixed(6)]);
  return {
    result: { ...sampling, minEntropy, original, ...(bitstring !== undefined && { bitstring }), estimators },
    sentences: [
      ...columns([['estimator', 'min-entropy'], ...rows]),
      `SP 800-90B, non-IID: ${minEntropy.toFixed(6)} bits per sample of ${bitsPerSample} bits, ` +
        `assessed on ${samples} samples`,
    ],
  };
}

export function iidRecord(sampling: Sampling, found: IidAssessment): BatteryRecord {
  const { iid, minEntropy, original, bitstring, independence, goodnessOfFit, longestRepeat } = found;
  const { seed, ...permutation } = found.permutation;
  const estimators = {
    mostCommonValue: original,
    ...(bitstring !== undefined && { 'bitstring.mostCommonValue': bitstring }),
  };
  const verdict = (passed: boolean): string => (passed ? 'passed' : 'failed');
  const permuted = Object.entries(permutation.statistics).map(([name, { higher, equal, lower, passed }]) => [
    `permutations: ${name}`,
    `${higher} higher, ${equal} equal, ${lower} lower`,
    verdict(passed),
  ]);
  return {
    result: {
      ...sampling,
      iid,
      minEntropy,
      estimators,
      independence,
      goodnessOfFit,
      longestRepeat,
      permutation: { ...permutation, seed: toHex(seed) },
    },
    sentences: [
      ...columns([
        ['test', 'found', 'verdict'],
        ['independence', `p = ${independence.p.toFixed(6)}`, verdict(independence.passed)],
        ['goodness of fit', `p = ${goodnessOfFit.p.toFixed(6)}`, verdict(goodnessOfFit.passed)],
        ['longest repeat', `p = ${longestRepeat.probability.toFixed(6)}`, verdict(longestRepeat.passed)],
        ...permuted,
      ]),
      iid
        ? `SP 800-90B, IID: nothing speaks against it; ${minEntropy.toFixed(6)} bits per sample of ` +
          `${sampling.bitsPerSample} bits, if the source is known to be so`
        : 'SP 800-90B, IID: the samples are not independent and identically distributed; assess them with sp800-90b',
    ],
  };
}
