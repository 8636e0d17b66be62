import { SymmetraError } from '@symmetra/crypto';
import { upperBound } from './estimate.js';
import type { Estimate } from './estimate.js';

/**
 * The most common value estimate of SP 800-90B clause 6.3.1, in bits per sample.
 *
 * Samples are bytes of which each value is a symbol; a histogram (`counts`, one entry per symbol)
 * gives the same without a look at the samples, cheap enough for a window that rolls.
 *
 * @throws SymmetraError BATTERY_TOO_FEW_SAMPLES when there are fewer than two samples
 */
export function mostCommonValueEstimate(data: Uint8Array | { readonly counts: Iterable<number> }): Estimate {
  const counts = data instanceof Uint8Array ? histogramOf(data) : data.counts;
  let samples = 0;
  let mode = 0;
  for (const count of counts) {
    samples += count;
    if (count > mode) mode = count;
  }
  if (samples < 2) {
    throw new SymmetraError('BATTERY_TOO_FEW_SAMPLES', 'the most common value needs at least 2 samples', {
      samples,
      minimum: 2,
    });
  }
  const pHat = mode / samples;
  const pUpper = upperBound(pHat, samples);
  return { minEntropy: 0 - Math.log2(pUpper), steps: { mode, pHat, pUpper } };
}

function histogramOf(samples: Uint8Array): Uint32Array {
  const counts = new Uint32Array(256);
  for (const sample of samples) counts[sample]!++;
  return counts;
}
