import type { NoiseBlock } from '../source/noise-source.js';
import { ALARM_BITS, proportionCutoff, proportionWindow } from './cutoffs.js';
import type { Cutoffs } from './cutoffs.js';
import type { Alarm, HealthTest } from './health-test.js';

/** No sample has this value, nor this place in a block. */
const NONE = -1;

/**
 * The adaptive proportion test of SP 800-90B, 4.4.2: a value that comes too often. Windows follow each other without
 * overlap; the first sample of each is the value that is counted in it.
 */
export class AdaptiveProportion implements HealthTest {
  readonly name = 'adaptive-proportion';
  readonly cutoffs: Cutoffs;
  readonly window: number;
  readonly span: number;
  #value = NONE;
  #count = 0;
  /** Samples of the window seen so far. */
  #seen = 0;
  #position = 0;

  /** @throws HEALTH_CUTOFF @param minEntropy claimed bits per sample. */
  constructor(bitsPerSample: number, minEntropy: number) {
    this.window = proportionWindow(bitsPerSample);
    this.cutoffs = {
      intermittent: proportionCutoff(minEntropy, ALARM_BITS.intermittent, this.window),
      permanent: proportionCutoff(minEntropy, ALARM_BITS.permanent, this.window),
    };
    this.span = 2 * this.window;
  }

  feed({ samples }: NoiseBlock): Alarm | undefined {
    const { intermittent, permanent } = this.cutoffs;
    let first = NONE;
    let grave = NONE;
    for (let at = 0; at < samples.length;) {
      if (this.#seen === 0) {
        this.#value = samples[at] as number;
        this.#count = 0;
      }
      const end = Math.min(samples.length, at + this.window - this.#seen);
      const before = this.#count;
      this.#count += occurrences(samples, this.#value, at, end);
      if (this.#count >= intermittent) {
        if (first === NONE) first = reached(samples, this.#value, at, end, intermittent - before);
        if (grave === NONE) grave = reached(samples, this.#value, at, end, permanent - before);
      }
      this.#seen = (this.#seen + end - at) % this.window;
      at = end;
    }
    const start = this.#position;
    this.#position += samples.length;
    if (grave !== NONE) return { test: this.name, level: 'permanent', sample: start + grave };
    if (first !== NONE) return { test: this.name, level: 'intermittent', sample: start + first };
    return undefined;
  }

  reset(): void {
    this.#value = NONE;
    this.#count = 0;
    this.#seen = 0;
    this.#position = 0;
  }
}

/** How many of the samples from `start` to `end` have the value. */
function occurrences(samples: Uint8Array, value: number, start: number, end: number): number {
  let count = 0;
  // 1 when they are equal, else 0: the processor cannot foresee a branch on noise.
  for (let i = start; i < end; i++) count += (((samples[i] as number) ^ value) - 1) >>> 31;
  return count;
}

/** Where the value occurs for the `nth` time; NONE when it does not, or did so before. */
function reached(samples: Uint8Array, value: number, start: number, end: number, nth: number): number {
  let count = 0;
  for (let i = start; i < end; i++) {
    if (samples[i] === value && ++count === nth) return i;
  }
  return NONE;
}
