import { SymmetraError } from '@symmetra/crypto';

/** Below this some estimator would have nothing to count; NIST asks for 1,000,000. */
const minimumSamples = 10_000;

/** A sequence over the symbols 0..alphabetSize-1: `symbols[i]` is the i-th one. */
export interface SymbolSequence {
  readonly symbols: Uint8Array;
  readonly alphabetSize: number;
}

/**
 * Samples as the estimators take them: the values that occur, numbered in ascending order when
 * some value below the largest one never occurs (the mapping of NIST's ea_non_iid).
 */
export function mapAlphabet(samples: Uint8Array): SymbolSequence {
  const seen = new Uint8Array(256);
  for (const sample of samples) seen[sample] = 1;
  const rank = new Uint8Array(256);
  let alphabetSize = 0;
  for (let value = 0; value < 256; value++) {
    if (seen[value] === 1) rank[value] = alphabetSize++;
  }
  const gapless = seen.lastIndexOf(1) === alphabetSize - 1;
  return { symbols: gapless ? samples : samples.map((sample) => rank[sample]!), alphabetSize };
}

/** The bits of all samples, one per byte, the most significant bit of each sample first. */
export function bitstringOf(samples: Uint8Array, bitsPerSample: number): SymbolSequence {
  const bits = new Uint8Array(samples.length * bitsPerSample);
  let at = 0;
  for (const sample of samples) {
    for (let bit = bitsPerSample - 1; bit >= 0; bit--) bits[at++] = (sample >>> bit) & 1;
  }
  return { symbols: bits, alphabetSize: 2 };
}

/**
 * @throws SymmetraError BATTERY_BAD_ARGUMENT unless bitsPerSample is a whole number from 1 to 8;
 *   BATTERY_TOO_FEW_SAMPLES below `atLeast`; BATTERY_SAMPLE_RANGE when a sample needs more bits
 */
export function requireSamples(samples: Uint8Array, bitsPerSample: number, atLeast = minimumSamples): void {
  if (!Number.isInteger(bitsPerSample) || bitsPerSample < 1 || bitsPerSample > 8) {
    throw new SymmetraError('BATTERY_BAD_ARGUMENT', 'a sample has from 1 to 8 bits', { bitsPerSample });
  }
  if (samples.length < atLeast) {
    throw new SymmetraError('BATTERY_TOO_FEW_SAMPLES', `this assessment needs at least ${atLeast} samples`, {
      samples: samples.length,
      minimum: atLeast,
    });
  }
  const limit = 1 << bitsPerSample;
  const offset = samples.findIndex((sample) => sample >= limit);
  if (offset >= 0) {
    throw new SymmetraError('BATTERY_SAMPLE_RANGE', `a sample does not fit in ${bitsPerSample} bits`, {
      offset,
      bitsPerSample,
    });
  }
}
