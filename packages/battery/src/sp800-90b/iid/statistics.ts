import type { SymbolSequence } from '../samples.js';
import { compressedLength } from './bzip2-length.js';

const lags = [1, 2, 8, 16, 32] as const;

/** The statistics of clauses 5.1.1-5.1.11, those with a lag once for each. */
export const statisticNames = [
  'excursion',
  'directionalRuns',
  'longestDirectionalRun',
  'increasesDecreases',
  'medianRuns',
  'longestMedianRun',
  'averageCollision',
  'maximumCollision',
  ...lags.map((lag) => `periodicity${lag}` as const),
  ...lags.map((lag) => `covariance${lag}` as const),
  'compression',
] as const;

export type StatisticName = (typeof statisticNames)[number];

/** Asked for the statistics that are still open; the others stay undefined. */
export type StatisticValues = Partial<Record<StatisticName, number>>;

/**
 * The statistics of one set of samples in any order: what does not depend on the order (mean,
 * median, alphabet) is worked out once.
 *
 * Binary samples go through conversion I (ones in blocks of eight) for runs, periodicity and
 * covariance and through conversion II (blocks of eight as bytes) for collisions, as clause 5.1 says.
 */
export class PermutationStatistics {
  private readonly binary: boolean;
  private readonly alphabetSize: number;
  private readonly rank = new Uint8Array(256);
  private readonly mean: number;
  private readonly median: number;

  /** `samples` as measured, and the same ones with their alphabet mapped. */
  constructor(samples: Uint8Array, { symbols, alphabetSize }: SymbolSequence) {
    this.binary = alphabetSize === 2;
    this.alphabetSize = alphabetSize;
    let sum = 0;
    for (let i = 0; i < samples.length; i++) {
      sum += samples[i]!;
      this.rank[samples[i]!] = symbols[i]!;
    }
    this.mean = sum / samples.length;
    this.median = this.binary ? 0.5 : medianOf(symbols);
  }

  /** Those of `wanted`, of the samples in the order given. */
  of(samples: Uint8Array, wanted: ReadonlySet<StatisticName>): StatisticValues {
    const symbols = samples.map((sample) => this.rank[sample]!);
    const counted = this.binary ? onesInBlocks(symbols) : symbols;
    const values: StatisticValues = {};
    const wants = (...names: readonly StatisticName[]): boolean => names.some((name) => wanted.has(name));

    if (wants('excursion')) values.excursion = excursionOf(samples, this.mean);
    if (wants('directionalRuns', 'longestDirectionalRun', 'increasesDecreases')) {
      const runs = runsOf(counted.length - 1, (i) => counted[i]! <= counted[i + 1]!);
      values.directionalRuns = runs.count;
      values.longestDirectionalRun = runs.longest;
      values.increasesDecreases = Math.max(runs.yes, counted.length - 1 - runs.yes);
    }
    if (wants('medianRuns', 'longestMedianRun')) {
      const { median } = this;
      const runs = runsOf(symbols.length, (i) => symbols[i]! >= median);
      values.medianRuns = runs.count;
      values.longestMedianRun = runs.longest;
    }
    if (wants('averageCollision', 'maximumCollision')) {
      const collisions = this.binary
        ? collisionsOf(bytesOfBits(symbols), 256)
        : collisionsOf(symbols, this.alphabetSize);
      values.averageCollision = collisions.average;
      values.maximumCollision = collisions.longest;
    }
    const measured = this.binary ? counted : samples;
    for (const lag of lags) {
      if (wants(`periodicity${lag}`)) values[`periodicity${lag}`] = periodicityOf(counted, lag);
      if (wants(`covariance${lag}`)) values[`covariance${lag}`] = covarianceOf(measured, lag);
    }
    if (wants('compression')) values.compression = compressedLength(samples);
    return values;
  }
}

function medianOf(symbols: Uint8Array): number {
  const sorted = symbols.toSorted();
  const half = sorted.length >>> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half]! + sorted[half - 1]!) / 2;
}

/** Conversion I; the last block may be short. */
function onesInBlocks(bits: Uint8Array): Uint8Array {
  const blocks = new Uint8Array(Math.ceil(bits.length / 8));
  for (let i = 0; i < bits.length; i++) blocks[i >>> 3]! += bits[i]!;
  return blocks;
}

/** Conversion II; the last block is filled up with zeros. */
function bytesOfBits(bits: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(bits.length / 8));
  for (let i = 0; i < bits.length; i++) bytes[i >>> 3]! |= bits[i]! << (7 - (i & 7));
  return bytes;
}

/** The farthest that the running sum gets from the running mean. */
function excursionOf(samples: Uint8Array, mean: number): number {
  let farthest = 0;
  let sum = 0;
  for (let i = 0; i < samples.length; i++) {
    sum += samples[i]!;
    const distance = Math.abs(sum - (i + 1) * mean);
    if (distance > farthest) farthest = distance;
  }
  return farthest;
}

/** Runs of equal answers over 0..length-1, and how often the answer was yes. */
function runsOf(
  length: number,
  answer: (i: number) => boolean,
): { readonly count: number; readonly longest: number; readonly yes: number } {
  let count = 0;
  let longest = 0;
  let yes = 0;
  let run = 0;
  let previous = false;
  for (let i = 0; i < length; i++) {
    const current = answer(i);
    if (current) yes++;
    if (i > 0 && current === previous) {
      run++;
    } else {
      count++;
      run = 1;
    }
    if (run > longest) longest = run;
    previous = current;
  }
  return { count, longest, yes };
}

/** How many samples it takes until one comes a second time; then it starts anew. */
function collisionsOf(
  symbols: Uint8Array,
  alphabetSize: number,
): { readonly average: number; readonly longest: number } {
  const seenIn = new Int32Array(alphabetSize);
  let collisions = 0;
  let total = 0;
  let longest = 0;
  let start = 0;
  for (let i = 0; i < symbols.length; i++) {
    const symbol = symbols[i]!;
    if (seenIn[symbol] !== collisions + 1) {
      seenIn[symbol] = collisions + 1;
      continue;
    }
    const length = i - start + 1;
    collisions++;
    total += length;
    if (length > longest) longest = length;
    start = i + 1;
  }
  return { average: total / collisions, longest };
}

function periodicityOf(symbols: Uint8Array, lag: number): number {
  let equal = 0;
  for (let i = lag; i < symbols.length; i++) if (symbols[i] === symbols[i - lag]) equal++;
  return equal;
}

function covarianceOf(samples: Uint8Array, lag: number): number {
  let sum = 0;
  for (let i = lag; i < samples.length; i++) sum += samples[i]! * samples[i - lag]!;
  return sum;
}
