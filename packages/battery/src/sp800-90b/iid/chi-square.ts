import { chiSquareSurvival } from '../../special/gamma.js';
import type { SymbolSequence } from '../samples.js';

/** Both chi-square tests pass from this p-value on (clause 5.2). */
const leastP = 0.001;
const leastExpectation = 5;
/** Parts of the sequence that the goodness of fit compares. */
const parts = 10;
/** The longest tuples that the independence of bits is tried on. */
const longestTuple = 11;

export interface ChiSquareTest {
  readonly statistic: number;
  readonly degreesOfFreedom: number;
  readonly p: number;
  readonly passed: boolean;
}

function verdict(statistic: number, degreesOfFreedom: number): ChiSquareTest {
  const p = degreesOfFreedom > 0 ? chiSquareSurvival(statistic, degreesOfFreedom) : 1;
  return { statistic, degreesOfFreedom, p, passed: p >= leastP };
}

/** Whether neighbours are independent: clause 5.2.1 on symbols, clause 5.2.3 on bits. */
export function independenceTest(sequence: SymbolSequence): ChiSquareTest {
  return sequence.alphabetSize === 2 ? bitIndependence(sequence.symbols) : pairIndependence(sequence);
}

/** Whether ten parts have the same distribution: clause 5.2.2 on symbols, clause 5.2.4 on bits. */
export function goodnessOfFitTest(sequence: SymbolSequence): ChiSquareTest {
  return sequence.alphabetSize === 2 ? bitFit(sequence.symbols) : symbolFit(sequence);
}

function pairIndependence(sequence: SymbolSequence): ChiSquareTest {
  const { symbols, alphabetSize } = sequence;
  const proportions = proportionsOf(sequence);
  const pairs = Math.floor(symbols.length / 2);
  const expected = new Float64Array(alphabetSize ** 2);
  for (let pair = 0; pair < expected.length; pair++) {
    const first = Math.floor(pair / alphabetSize);
    expected[pair] = proportions[first]! * proportions[pair % alphabetSize]! * pairs;
  }
  const bins = new Bins(expected);
  const observed = new Float64Array(bins.count);
  for (let i = 0; i + 1 < symbols.length; i += 2) {
    observed[bins.of[symbols[i]! * alphabetSize + symbols[i + 1]!]!]!++;
  }
  return verdict(bins.distance(observed), bins.count - alphabetSize);
}

function symbolFit(sequence: SymbolSequence): ChiSquareTest {
  const { symbols } = sequence;
  const partLength = Math.floor(symbols.length / parts);
  const bins = new Bins(proportionsOf(sequence).map((proportion) => proportion * partLength));
  const observed = new Float64Array(bins.count);
  let statistic = 0;
  for (let part = 0; part < parts; part++) {
    observed.fill(0);
    for (const symbol of symbols.subarray(part * partLength, (part + 1) * partLength)) {
      observed[bins.of[symbol]!]!++;
    }
    statistic += bins.distance(observed);
  }
  return verdict(statistic, (parts - 1) * (bins.count - 1));
}

function bitIndependence(bits: Uint8Array): ChiSquareTest {
  const p1 = onesOf(bits) / bits.length;
  const rarer = Math.min(p1, 1 - p1);
  let width = longestTuple;
  while (width > 1 && rarer ** width * Math.floor(bits.length / width) < leastExpectation) width--;
  if (width < 2) return verdict(0, 0);

  const blocks = Math.floor(bits.length / width);
  const observed = new Float64Array(2 ** width);
  for (let block = 0; block < blocks; block++) {
    let tuple = 0;
    for (let i = 0; i < width; i++) tuple = (tuple << 1) | bits[block * width + i]!;
    observed[tuple]!++;
  }
  let statistic = 0;
  for (let tuple = 0; tuple < observed.length; tuple++) {
    let ones = 0;
    for (let rest = tuple; rest > 0; rest >>>= 1) ones += rest & 1;
    const expected = p1 ** ones * (1 - p1) ** (width - ones) * blocks;
    statistic += (observed[tuple]! - expected) ** 2 / expected;
  }
  return verdict(statistic, 2 ** width - 2);
}

function bitFit(bits: Uint8Array): ChiSquareTest {
  const partLength = Math.floor(bits.length / parts);
  const p1 = onesOf(bits) / bits.length;
  const expectedOnes = p1 * partLength;
  const expectedZeros = (1 - p1) * partLength;
  let statistic = 0;
  for (let part = 0; part < parts; part++) {
    const ones = onesOf(bits.subarray(part * partLength, (part + 1) * partLength));
    statistic += (partLength - ones - expectedZeros) ** 2 / expectedZeros;
    statistic += (ones - expectedOnes) ** 2 / expectedOnes;
  }
  return verdict(statistic, parts - 1);
}

function onesOf(bits: Uint8Array): number {
  let ones = 0;
  for (const bit of bits) ones += bit;
  return ones;
}

/**
 * Each symbol's share, added up sample by sample: NIST's tool does so, and the last digits decide
 * between cells that would otherwise tie when they are sorted into bins.
 */
function proportionsOf({ symbols, alphabetSize }: SymbolSequence): Float64Array {
  const proportions = new Float64Array(alphabetSize);
  const share = 1 / symbols.length;
  for (const symbol of symbols) proportions[symbol]! += share;
  return proportions;
}

/** Cells put together, the least expected first, until each bin expects at least 5. */
class Bins {
  /** The bin of every cell. */
  readonly of: Int32Array;
  private readonly expectations: number[] = [];

  constructor(expected: Float64Array) {
    const order = Array.from(expected.keys()).toSorted((a, b) => expected[a]! - expected[b]! || a - b);
    this.of = new Int32Array(expected.length);
    let current = 0;
    for (const cell of order) {
      if (current >= leastExpectation) {
        this.expectations.push(current);
        current = 0;
      }
      this.of[cell] = this.expectations.length;
      current += expected[cell]!;
    }
    const last = this.expectations.length;
    if (last === 0 || current >= leastExpectation) {
      this.expectations.push(current);
      return;
    }
    this.expectations[last - 1]! += current;
    for (let i = order.length - 1; this.of[order[i]!] === last; i--) this.of[order[i]!] = last - 1;
  }

  get count(): number {
    return this.expectations.length;
  }

  /** Pearson's sum over the bins. */
  distance(observed: Float64Array): number {
    let sum = 0;
    for (let bin = 0; bin < this.count; bin++) {
      const expectation = this.expectations[bin]!;
      sum += (observed[bin]! - expectation) ** 2 / expectation;
    }
    return sum;
  }
}
