import { wipe } from '@symmetra/crypto';
import { WindowExtraction } from '../pipeline/window-extraction.js';
import type { NoiseSource } from '../source/noise-source.js';
import type { RandomBytes } from '../source.js';

/** How a long collection is followed and ended. */
export interface CollectionOptions {
  readonly signal: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/** Samples that are read at a time. */
const READ_SAMPLES = 16_384;

/** Consecutive samples of a source, a byte each. @throws what the source throws. */
export async function collectSamples(
  source: NoiseSource,
  count: number,
  { signal, onProgress }: CollectionOptions,
): Promise<Uint8Array> {
  const samples = new Uint8Array(count);
  for (let at = 0; at < count;) {
    const block = await source.read(Math.min(READ_SAMPLES, count - at), signal);
    samples.set(block.samples, at);
    at += block.samples.length;
    onProgress?.(at, count);
  }
  return samples;
}

/**
 * The first samples after each of many restarts, a row for each (SP 800-90B, 3.1.4.1).
 * @param open starts the source anew.
 * @param restarts how many; of each as many samples.
 */
export async function collectRestarts(
  open: () => Promise<NoiseSource>,
  restarts: number,
  { signal, onProgress }: CollectionOptions,
): Promise<Uint8Array> {
  const matrix = new Uint8Array(restarts * restarts);
  for (let row = 0; row < restarts; row++) {
    const source = await open();
    try {
      matrix.set(await collectSamples(source, restarts, { signal }), row * restarts);
    } finally {
      await source.close();
    }
    onProgress?.(row + 1, restarts);
  }
  return matrix;
}

/** Bytes as the extractor of a pipeline gives them, for a source that is tested apart. */
export async function collectExtracted(
  source: NoiseSource,
  count: number,
  random: RandomBytes,
  { signal, onProgress }: CollectionOptions,
): Promise<Uint8Array> {
  const extraction = new WindowExtraction(source.description, random);
  const extracted = new Uint8Array(count);
  for (let at = 0; at < count;) {
    const { samples } = await source.read(extraction.blockSamples, signal);
    const block = extraction.extract(samples);
    wipe(samples);
    extracted.set(block.subarray(0, count - at), at);
    at = Math.min(count, at + block.length);
    onProgress?.(at, count);
  }
  return extracted;
}
