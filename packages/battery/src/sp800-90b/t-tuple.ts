import { upperBound } from './estimate.js';
import type { Estimate } from './estimate.js';
import type { RepeatedTuples } from './repeated-tuples.js';

/** A tuple counts only when it occurs this often (clause 6.3.5 step 1). */
const enough = 35;

/** The longest length of which some tuple occurs 35 times; 0 when not even a symbol does. */
export function longestFrequentTuple({ longest, mostFrequent }: RepeatedTuples): number {
  let width = 0;
  while (width < longest && mostFrequent[width + 1]! >= enough) width++;
  return width;
}

/**
 * The t-tuple estimate of SP 800-90B clause 6.3.5: the most frequent tuple of every length up to t,
 * turned into a probability per symbol. Undefined when no symbol occurs 35 times.
 */
export function tTupleEstimate(tuples: RepeatedTuples): Estimate | undefined {
  const t = longestFrequentTuple(tuples);
  if (t === 0) return undefined;
  let pHat = 0;
  for (let width = 1; width <= t; width++) {
    const p = tuples.mostFrequent[width]! / (tuples.length - width + 1);
    pHat = Math.max(pHat, p ** (1 / width));
  }
  const pUpper = upperBound(pHat, tuples.length);
  return { minEntropy: 0 - Math.log2(pUpper), steps: { t, pHat, pUpper } };
}
