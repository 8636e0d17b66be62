import { wipe } from '@symmetra/crypto';
import { outputEntropy } from '../extract/output-entropy.js';
import { Toeplitz } from '../extract/toeplitz.js';
import type { SourceDescription } from '../source/noise-source.js';
import type { RandomBytes } from '../source.js';

/** Bits of an extracted block. */
export const BLOCK_BITS = 1024;
/** The leftover hash lemma loses 2 log2(1/epsilon) bits: epsilon is 2^-100 for a block. */
const EXTRACTION_LOSS_BITS = 200;
/**
 * The measured entropy h' of a bit of output. SP 800-90B finds 0.9018 in a million bytes of perfect output, for the
 * compression estimate is cautious; no output of ours is credited more than a measurement can show.
 */
const MEASURED_ENTROPY = 0.9;
/** A block takes whole samples, and so many of them that its bits fill whole words. */
const SAMPLE_MULTIPLE = 64;
/** The distances epsilon of all blocks under one seed add up: it is changed after so many. */
const BLOCKS_PER_SEED = 2 ** 24;

/**
 * The samples of a window, packed without gaps and multiplied by a random Toeplitz matrix: blocks of 1,024 bits, each
 * from samples of its own that hold at least 1,224 bits of claimed min-entropy. The seed of the matrix comes from
 * elsewhere than the samples (the operating system).
 */
export class WindowExtraction {
  /** Samples under one block. */
  readonly blockSamples: number;
  /** What a block is credited, in bits; 0 when the source claims nothing. */
  readonly blockEntropyBits: number;
  readonly #bitsPerSample: number;
  readonly #random: RandomBytes;
  readonly #toeplitz: Toeplitz;

  /** @throws EXTRACTOR_SIZE when the source claims too little for its bits. */
  constructor(description: SourceDescription, random: RandomBytes) {
    const { bitsPerSample, minEntropyPerSample, physical, simulated } = description;
    this.#bitsPerSample = bitsPerSample;
    this.#random = random;
    const entropy = minEntropyPerSample > 0 ? minEntropyPerSample : bitsPerSample;
    const needed = Math.ceil((BLOCK_BITS + EXTRACTION_LOSS_BITS) / entropy);
    this.blockSamples = Math.ceil(needed / SAMPLE_MULTIPLE) * SAMPLE_MULTIPLE;
    const counts = physical || simulated;
    this.blockEntropyBits = counts ? creditOf(this.blockSamples, bitsPerSample, minEntropyPerSample) : 0;
    this.#toeplitz = new Toeplitz({
      inputBits: this.blockSamples * bitsPerSample,
      outputBits: BLOCK_BITS,
      seed: this.#drawSeed(),
      blocksPerSeed: BLOCKS_PER_SEED,
    });
  }

  /** How many bytes a window of so many samples gives. */
  bytesOf(window: number): number {
    return (this.#blocksOf(window) * BLOCK_BITS) / 8;
  }

  /**
   * The blocks of a window, one after the other; samples left over are not used. They belong to the caller, as do the
   * samples.
   */
  extract(samples: Uint8Array): Uint8Array {
    const blocks = this.#blocksOf(samples.length);
    if (this.#toeplitz.blocks + blocks > BLOCKS_PER_SEED) this.renewSeed();
    const used = samples.subarray(0, blocks * this.blockSamples);
    const packed = pack(used, this.#bitsPerSample);
    const output = this.#toeplitz.extract(packed);
    wipe(packed);
    return output;
  }

  /** Takes another seed for the blocks to come. */
  renewSeed(): void {
    this.#toeplitz.rotate(this.#drawSeed());
  }

  /** Zeroes the matrix, for good. */
  wipe(): void {
    this.#toeplitz.wipe();
  }

  #blocksOf(window: number): number {
    return Math.floor(window / this.blockSamples);
  }

  #drawSeed(): Uint8Array {
    return this.#random((this.blockSamples * this.#bitsPerSample + BLOCK_BITS) / 8);
  }
}

/** Cuts what was extracted into blocks, which are copies; it is zeroed. */
export function cutBlocks(output: Uint8Array): Uint8Array[] {
  const size = BLOCK_BITS / 8;
  const blocks = Array.from({ length: output.length / size }, (_, i) =>
    output.slice(i * size, (i + 1) * size),
  );
  wipe(output);
  return blocks;
}

/** SP 800-90B, 3.1.5.2, for a conditioner that is not vetted: never more than was measured in its output. */
function creditOf(samples: number, bitsPerSample: number, minEntropyPerSample: number): number {
  const { bits } = outputEntropy({
    nIn: samples * bitsPerSample,
    nOut: BLOCK_BITS,
    nw: BLOCK_BITS,
    hIn: samples * minEntropyPerSample,
    vetted: false,
    hMeasured: MEASURED_ENTROPY,
  });
  return Math.floor(bits);
}

/** Writes the low bits of each sample one after the other, the first in the highest bits. */
function pack(samples: Uint8Array, bitsPerSample: number): Uint8Array {
  const packed = new Uint8Array((samples.length * bitsPerSample) / 8);
  let bits = 0;
  let waiting = 0;
  let at = 0;
  for (const sample of samples) {
    bits = ((bits << bitsPerSample) | sample) & 0xffff;
    waiting += bitsPerSample;
    if (waiting < 8) continue;
    waiting -= 8;
    packed[at++] = bits >>> waiting;
  }
  return packed;
}
