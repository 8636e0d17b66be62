import type { NoiseBlock, NoiseSource, SourceDescription } from '@symmetra/entropy';
import { Prng } from '@symmetra/testing';

/** How far back a bit of bad noise depends on others: further than the tests beside the source look. */
const LAGS = [9, 10, 12];
const FAR = 12;
const MASK = 2 ** FAR - 1;

/**
 * Bits that look perfect to whoever sees no more than twelve in a row. When it is bad, each bit is, with probability
 * 0.9, the opposite of the sum of three earlier ones: 0.15 bits of min-entropy.
 */
export class NoiseWithMemory implements NoiseSource {
  readonly description: SourceDescription = {
    name: 'memory',
    kind: 'file',
    physical: true,
    quantum: false,
    simulated: true,
    raw: true,
    bitsPerSample: 1,
    minEntropyPerSample: 0.5,
  };
  bad: boolean;
  /** Samples given so far. */
  position = 0;
  closed = false;
  readonly #random = new Prng('noise with memory');
  #past = 0xabc;

  constructor(bad: boolean) {
    this.bad = bad;
  }

  async read(count: number, signal: AbortSignal): Promise<NoiseBlock> {
    signal.throwIfAborted();
    const samples = new Uint8Array(count);
    for (let i = 0; i < count; i++) {
      const expected = LAGS.reduce((sum, lag) => sum ^ ((this.#past >>> (lag - 1)) & 1), 1);
      const bit = this.bad && this.#random.chance(0.8) ? expected : this.#random.below(2);
      this.#past = ((this.#past << 1) | bit) & MASK;
      samples[i] = bit;
    }
    this.position += count;
    return { samples };
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}
