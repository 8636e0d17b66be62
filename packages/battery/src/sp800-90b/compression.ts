import { solveFalling } from './descent.js';
import { zAlpha } from './estimate.js';
import type { Estimate } from './estimate.js';

const blockBits = 6;
const alphabetSize = 1 << blockBits;
/** Blocks that only fill the dictionary (d in clause 6.3.4). */
const dictionaryBlocks = 1000;
/** The factor of step 5 that makes the deviation one of overlapping distances. */
const deviationFactor = 0.5907;
/** Far below the last digit of every sum; smaller numbers would be slow and never come to zero. */
const negligible = 2 ** -1000;

/**
 * The compression estimate of SP 800-90B clause 6.3.4 on bits (Maurer's universal statistic over
 * blocks of 6 bits), in bits per bit. Needs at least 6012 bits.
 */
export function compressionEstimate(bits: Uint8Array): Estimate {
  const blocks = Math.floor(bits.length / blockBits);
  const logarithms = logarithmsUpTo(blocks);
  const { mean, deviation } = distancesOf(bits, blocks, logarithms);
  const meanLower = mean - (zAlpha * deviation) / Math.sqrt(blocks - dictionaryBlocks);

  const others = alphabetSize - 1;
  const expectedMean = (p: number): number =>
    partOfMean(p, blocks, logarithms) + others * partOfMean((1 - p) / others, blocks, logarithms);
  const uniform = 1 / alphabetSize;
  const p = expectedMean(uniform) > meanLower ? solveFalling(expectedMean, meanLower, uniform, 1) : uniform;
  return { minEntropy: (0 - Math.log2(p)) / blockBits, steps: { mean, deviation, meanLower, p } };
}

/** Steps 1-5: mean and deviation of log2 of the distances to each block's last occurrence. */
function distancesOf(
  bits: Uint8Array,
  blocks: number,
  logarithms: Float64Array,
): { readonly mean: number; readonly deviation: number } {
  const lastSeen = new Int32Array(alphabetSize);
  const counted = blocks - dictionaryBlocks;
  const sum = new CompensatedSum();
  const squares = new CompensatedSum();
  let at = 0;
  for (let block = 1; block <= blocks; block++) {
    let value = 0;
    for (let bit = 0; bit < blockBits; bit++) value = (value << 1) | bits[at++]!;
    if (block > dictionaryBlocks) {
      const logarithm = logarithms[block - lastSeen[value]!]!;
      sum.add(logarithm);
      squares.add(logarithm * logarithm);
    }
    lastSeen[value] = block;
  }
  const mean = sum.total / counted;
  return {
    mean,
    deviation: deviationFactor * Math.sqrt(squares.total / (counted - 1) - mean * mean),
  };
}

/**
 * G(z) of step 7: (1/v) sum over t = d+1..blocks of sum over u = 1..t of log2(u) F(z, t, u), where
 * F = z^2 (1-z)^(u-1) for u < t and z (1-z)^(t-1) for u = t. Each u stands under
 * blocks - max(u, d) values of t, so one pass over u gives both sums.
 */
function partOfMean(z: number, blocks: number, logarithms: Float64Array): number {
  const rest = 1 - z;
  const inner = new CompensatedSum();
  const last = new CompensatedSum();
  let power = rest;
  for (let u = 2; u <= blocks; u++) {
    if (power < negligible) break;
    const term = logarithms[u]! * power;
    inner.add((blocks - Math.max(u, dictionaryBlocks)) * term);
    if (u > dictionaryBlocks) last.add(term);
    power *= rest;
  }
  return (z * (z * inner.total + last.total)) / (blocks - dictionaryBlocks);
}

function logarithmsUpTo(limit: number): Float64Array {
  const logarithms = new Float64Array(limit + 1);
  for (let u = 1; u <= limit; u++) logarithms[u] = Math.log2(u);
  return logarithms;
}

/** Kahan's sum: millions of terms without the rounding of a plain one. */
class CompensatedSum {
  total = 0;
  private carry = 0;

  add(term: number): void {
    const corrected = term - this.carry;
    const next = this.total + corrected;
    this.carry = next - this.total - corrected;
    this.total = next;
  }
}
