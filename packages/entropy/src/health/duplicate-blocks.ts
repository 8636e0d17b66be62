import { hash } from 'node:crypto';
import { wipe } from '@symmetra/crypto';
import type { NoiseBlock } from '../source/noise-source.js';
import type { Alarm, HealthTest } from './health-test.js';

/** Min-entropy of the samples under one fingerprint: two alike by chance are not to be expected in any lifetime. */
const FINGERPRINT_BITS = 128;
const FINGERPRINT_BYTES = 16;
/** Of so many places in a row at least one is remembered. */
const SPACING = 512;
/** Fingerprints that are remembered: on average those of the last 2^24 samples. */
const REMEMBERED = 2 ** 16;
const MULTIPLIER = 0x9e3779b1;
const MIXER = 0x85ebca6b;

/**
 * Noise that was seen before: a firmware, a proxy or an upstream that hands out one buffer twice, at whatever place and
 * in whatever cut. Of every 512 places in a row the one whose samples have the smallest rolling hash is remembered by a
 * digest of the samples that end there; two equal stretches choose equal places. A stretch of `guaranteed` samples that
 * occurred within the memory is found for certain.
 *
 * The memory outlives {@link DuplicateBlocks.reset}: a buffer is no better for coming back after an alarm.
 */
export class DuplicateBlocks implements HealthTest {
  readonly name = 'duplicate-blocks';
  /** Samples under one fingerprint. */
  readonly length: number;
  /** A repeated stretch of so many samples is always found. */
  readonly guaranteed: number;
  readonly span: number;
  readonly #known = new Set<string>();
  readonly #order: string[] = [];
  #oldest = 0;
  /** The last samples, a ring of a power of two. */
  readonly #ring: Uint8Array;
  /** The rolling hashes of the last places. */
  readonly #hashes = new Uint32Array(SPACING);
  readonly #outgoing: number;
  #rolling = 0;
  #smallest = 0;
  #smallestAt = -1;
  #position = 0;

  /** @param minEntropy claimed bits per sample, above 0. */
  constructor(minEntropy: number) {
    this.length = Math.ceil(FINGERPRINT_BITS / minEntropy);
    this.guaranteed = this.length + SPACING - 1;
    this.span = this.guaranteed;
    this.#ring = new Uint8Array(2 ** Math.ceil(Math.log2(this.length + SPACING)));
    let power = 1;
    for (let i = 0; i < this.length; i++) power = Math.imul(power, MULTIPLIER);
    this.#outgoing = power;
  }

  feed({ samples }: NoiseBlock): Alarm | undefined {
    const ring = this.#ring;
    const mask = ring.length - 1;
    const hashes = this.#hashes;
    const length = this.length;
    let rolling = this.#rolling;
    let alarm: Alarm | undefined;
    for (const sample of samples) {
      const position = this.#position++;
      const leaving = position >= length ? (ring[(position - length) & mask] as number) + 1 : 0;
      ring[position & mask] = sample;
      rolling = (Math.imul(rolling, MULTIPLIER) + sample + 1 - Math.imul(leaving, this.#outgoing)) | 0;
      const value = Math.imul(rolling ^ (rolling >>> 15), MIXER) >>> 0;
      hashes[position & (SPACING - 1)] = value;
      if (position < this.guaranteed - 1) continue;
      if (this.#smallestAt <= position - SPACING) this.#rescan(position);
      else if (value < this.#smallest) this.#select(position, value);
      else continue;
      if (this.#isKnown(this.#smallestAt)) {
        alarm ??= { test: this.name, level: 'permanent', sample: position };
      }
    }
    this.#rolling = rolling;
    return alarm;
  }

  reset(): void {
    wipe(this.#ring);
    this.#hashes.fill(0);
    this.#rolling = 0;
    this.#smallest = 0;
    this.#smallestAt = -1;
    this.#position = 0;
  }

  #select(position: number, value: number): void {
    this.#smallestAt = position;
    this.#smallest = value;
  }

  /** Selects the smallest of the last places, the first of equal ones. */
  #rescan(position: number): void {
    this.#select(position - SPACING + 1, this.#hashes[(position + 1) & (SPACING - 1)] as number);
    for (let at = position - SPACING + 2; at <= position; at++) {
      const value = this.#hashes[at & (SPACING - 1)] as number;
      if (value < this.#smallest) this.#select(at, value);
    }
  }

  /** Whether the samples that end at a place were seen before; they are remembered from now on. */
  #isKnown(position: number): boolean {
    const fingerprint = this.#fingerprint(position);
    if (this.#known.has(fingerprint)) return true;
    const forgotten = this.#order[this.#oldest];
    if (forgotten !== undefined) this.#known.delete(forgotten);
    this.#order[this.#oldest] = fingerprint;
    this.#oldest = (this.#oldest + 1) % REMEMBERED;
    this.#known.add(fingerprint);
    return false;
  }

  #fingerprint(position: number): string {
    const mask = this.#ring.length - 1;
    const stretch = new Uint8Array(this.length);
    for (let i = 0; i < this.length; i++) {
      stretch[i] = this.#ring[(position - this.length + 1 + i) & mask] as number;
    }
    const digest = hash('sha256', stretch, 'buffer');
    wipe(stretch);
    return digest.toString('latin1', 0, FINGERPRINT_BYTES);
  }
}
