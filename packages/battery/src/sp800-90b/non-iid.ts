import { estimatorsFor, runEstimators } from './estimators.js';
import type { EstimatorResults, OnEstimator } from './estimators.js';
import { bitstringOf, mapAlphabet, requireSamples } from './samples.js';

/** All in bits per sample, except the estimators on the bitstring: bits per bit. */
export interface NonIidAssessment extends Pick<EstimatorResults, 'estimators' | 'steps'> {
  /** min(original, bitsPerSample * bitstring). */
  readonly minEntropy: number;
  /** The least of the estimators on the samples, at most bitsPerSample. */
  readonly original: number;
  /** The least of the estimators on the bitstring, at most 1; absent where the samples are binary. */
  readonly bitstring?: number;
}

/**
 * The initial entropy estimate of SP 800-90B clause 3.1.3 by the ten estimators of clause 6.3,
 * equal to NIST's ea_non_iid. `samples` has one sample per byte, in its `bitsPerSample` low bits.
 *
 * Binary samples run all ten. Others run the seven that take any alphabet, and all ten on their
 * bitstring under the same names after `bitstring.`. An estimator that the data give nothing to
 * count is absent, as NIST's tool skips it. Samples that are all the same have min-entropy 0.
 *
 * @throws SymmetraError BATTERY_BAD_ARGUMENT, BATTERY_TOO_FEW_SAMPLES (below 10,000),
 *   BATTERY_SAMPLE_RANGE
 */
export function assessNonIid(
  samples: Uint8Array,
  bitsPerSample: number,
  options: { readonly onEstimator?: OnEstimator } = {},
): NonIidAssessment {
  requireSamples(samples, bitsPerSample);
  const sequence = mapAlphabet(samples);
  const onSamples = estimatorsFor(sequence);
  const onBits =
    sequence.alphabetSize > 2
      ? estimatorsFor(bitstringOf(samples, bitsPerSample)).map(({ name, run }) => ({
          name: `bitstring.${name}`,
          run,
        }))
      : [];
  const total = onSamples.length + onBits.length;
  let done = 0;
  const report = (name: string): void => options.onEstimator?.(name, ++done, total);

  const { least: original, ...found } = runEstimators(onSamples, bitsPerSample, report);
  if (onBits.length === 0) return { minEntropy: original, original, ...found };
  const { least: bitstring, ...foundOnBits } = runEstimators(onBits, 1, report);
  return {
    minEntropy: Math.min(original, bitsPerSample * bitstring),
    original,
    bitstring,
    estimators: { ...found.estimators, ...foundOnBits.estimators },
    steps: { ...found.steps, ...foundOnBits.steps },
  };
}
