import type { Estimate } from './estimate.js';

const chainLength = 128;

/**
 * The Markov estimate of SP 800-90B clause 6.3.3 on bits: the likeliest sequence of 128 bits under
 * the first-order chain that the counts describe. One of six sequences is always the likeliest.
 */
export function markovEstimate(bits: Uint8Array): Estimate {
  const length = bits.length;
  const pairs = new Float64Array(4);
  for (let i = 1; i < length; i++) pairs[bits[i - 1]! * 2 + bits[i]!]!++;
  const [n00 = 0, n01 = 0, n10 = 0, n11 = 0] = pairs;
  const p00 = ratio(n00, n00 + n01);
  const p01 = n00 + n01 > 0 ? 1 - p00 : 0;
  const p10 = ratio(n10, n10 + n11);
  const p11 = n10 + n11 > 0 ? 1 - p10 : 0;
  const p0 = (n00 + n01 + (bits[length - 1] === 0 ? 1 : 0)) / length;
  const p1 = 1 - p0;

  const entropies = [
    entropyOf(p0, p00, chainLength - 1),
    entropyOf(p0, p01, chainLength / 2, p10, chainLength / 2 - 1),
    entropyOf(p0, p01, 1, p11, chainLength - 2),
    entropyOf(p1, p10, 1, p00, chainLength - 2),
    entropyOf(p1, p10, chainLength / 2, p01, chainLength / 2 - 1),
    entropyOf(p1, p11, chainLength - 1),
  ];
  const smallest = Math.min(chainLength, ...entropies);
  return {
    minEntropy: smallest / chainLength,
    steps: { p0, p1, p00, p01, p10, p11, pHat: 2 ** -smallest },
  };
}

const ratio = (part: number, whole: number): number => (whole > 0 ? part / whole : 0);

/** -log2 of start * p^times * q^timesOfQ; infinite when a transition never happens. */
function entropyOf(start: number, p: number, times: number, q = 1, timesOfQ = 0): number {
  if (p === 0 || q === 0) return Infinity;
  return 0 - Math.log2(start) - times * Math.log2(p) - timesOfQ * Math.log2(q);
}
