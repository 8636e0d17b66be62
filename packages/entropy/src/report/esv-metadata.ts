import { outputEntropy } from '../extract/output-entropy.js';
import { BLOCK_BITS, WindowExtraction } from '../pipeline/window-extraction.js';
import { SEED_BYTES } from '../source/seed-supply.js';
import type { SourceDescription } from '../source/noise-source.js';
import type { Json } from './canonical-json.js';

/** Restarts, and samples of each (SP 800-90B, 3.1.4.1). */
export const RESTARTS = 1000;
/** Samples of the raw and of the conditioned file. */
export const ESV_SAMPLES = 1_000_000;

/**
 * The metadata of an entropy assessment as the protocol of NIST's Entropy Source Validation names it: the noise, its
 * claim, and the two conditioning components in their order.
 * @param measured bits per bit, assessed on the conditioned file.
 */
export function esvMetadata(description: SourceDescription, measured: number): Json {
  const { blockSamples } = new WindowExtraction(description, (length) => new Uint8Array(length));
  const { name, kind, bitsPerSample, minEntropyPerSample, physical } = description;
  const extraction = {
    nIn: blockSamples * bitsPerSample,
    nOut: BLOCK_BITS,
    nw: BLOCK_BITS,
    hIn: blockSamples * minEntropyPerSample,
  };
  const extracted = outputEntropy({ ...extraction, vetted: false, hMeasured: measured }).bits;
  const seed = { nIn: BLOCK_BITS / 2, nOut: 8 * SEED_BYTES, nw: 8 * SEED_BYTES, hIn: extracted / 2 };
  return {
    primaryNoiseSource: `${name} (${kind}${description.simulated ? ', simulated' : ''})`,
    iidClaim: false,
    bitsPerSample,
    hminEstimate: minEntropyPerSample,
    physical,
    numberOfRestarts: RESTARTS,
    samplesPerRestart: RESTARTS,
    additionalNoiseSources: false,
    conditioningComponent: [
      {
        sequencePosition: 1,
        vetted: false,
        bijectiveClaim: false,
        description: 'Toeplitz matrix over GF(2) with a seed from elsewhere',
        minNin: extraction.nIn,
        minHin: extraction.hIn,
        nw: extraction.nw,
        nOut: extraction.nOut,
        hOut: extracted,
      },
      {
        sequencePosition: 2,
        vetted: true,
        bijectiveClaim: false,
        description: 'HMAC-SHA-384 with a public, fixed key',
        minNin: seed.nIn,
        minHin: seed.hIn,
        nw: seed.nw,
        nOut: seed.nOut,
        hOut: outputEntropy({ ...seed, vetted: true }).bits,
      },
    ],
  };
}
