import { zAlpha } from './estimate.js';
import type { Estimate } from './estimate.js';

/**
 * The collision estimate of SP 800-90B clause 6.3.2 on bits.
 *
 * Among bits a collision comes after 2 symbols (00, 11) or after 3, so that step 7's equation is
 * the quadratic mean = 2 + 2p - 2p^2, solved here for p >= 1/2.
 */
export function collisionEstimate(bits: Uint8Array): Estimate {
  const length = bits.length;
  let at = 0;
  let collisions = 0;
  let squares = 0;
  while (at < length - 1) {
    const wait = bits[at] === bits[at + 1] ? 2 : 3;
    if (at + wait > length) break;
    collisions++;
    squares += wait * wait;
    at += wait;
  }
  const mean = at / collisions;
  const deviation = Math.sqrt((squares - at * mean) / (collisions - 1));
  const meanLower = Math.max(2, mean - (zAlpha * deviation) / Math.sqrt(collisions));
  const p = meanLower < 2.5 ? 0.5 + Math.sqrt(1.25 - 0.5 * meanLower) : 0.5;
  return { minEntropy: 0 - Math.log2(p), steps: { collisions, sum: at, mean, deviation, meanLower, p } };
}
