import { upperBound } from './estimate.js';
import type { Estimate } from './estimate.js';
import type { RepeatedTuples } from './repeated-tuples.js';
import { longestFrequentTuple } from './t-tuple.js';

/**
 * The longest repeated substring estimate of SP 800-90B clause 6.3.6: the collision probability of
 * the tuples longer than the t-tuple estimate's, up to the longest that repeats. Undefined when
 * there is none between the two.
 */
export function lrsEstimate(tuples: RepeatedTuples): Estimate | undefined {
  const u = longestFrequentTuple(tuples) + 1;
  const v = tuples.longest;
  if (v < u) return undefined;
  let pHat = 0;
  for (let width = u; width <= v; width++) {
    const places = tuples.length - width + 1;
    const p = tuples.equalPairs[width]! / ((places * (places - 1)) / 2);
    pHat = Math.max(pHat, p ** (1 / width));
  }
  const pUpper = upperBound(pHat, tuples.length);
  return { minEntropy: 0 - Math.log2(pUpper), steps: { u, v, pHat, pUpper } };
}
