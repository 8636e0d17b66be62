import type { Raised } from './score-chart.js';

/** Tags under one hash. */
const STRETCH = 32;
const REMEMBERED_BITS = 16;
/** One place in so many is remembered: where the hash itself says so, so that equal stretches agree on it. */
const SPACING_BITS = 6;
const MULTIPLIERS = [0x9e37_79b1, 0x85eb_ca77] as const;
const MIXER = 0xc2b2_ae3d;

/**
 * Tags that were seen before, among about the last four million: a firmware that sends a buffer again. The samples need
 * not repeat with them, for the external clock of arrival times runs on. A stretch of 32 tags is known by a rolling hash
 * of 64 bits; one repeated place is an alarm (2^-48 by chance), the next in a row a permanent one. The memory outlives a
 * reset.
 */
export class TagRepetition {
  readonly #outgoing: readonly [number, number];
  readonly #ring = new Uint32Array(STRETCH);
  readonly #first = new Uint32Array(1 << REMEMBERED_BITS);
  readonly #second = new Uint32Array(1 << REMEMBERED_BITS);
  #hashes: [number, number] = [0, 0];
  #position = 0;
  #repeated = false;

  constructor() {
    this.#outgoing = [power(MULTIPLIERS[0]), power(MULTIPLIERS[1])];
  }

  /** The next tag. */
  add(interval: number, detector: number): Raised {
    const slot = this.#position % STRETCH;
    const leaving = this.#ring[slot] ?? 0;
    const tag = (2 * interval + detector + 1) >>> 0;
    this.#ring[slot] = tag;
    this.#position += 1;
    const [first, second] = this.#hashes;
    const next = (Math.imul(first, MULTIPLIERS[0]) + tag - Math.imul(leaving, this.#outgoing[0])) | 0;
    this.#hashes[0] = next;
    this.#hashes[1] = (Math.imul(second, MULTIPLIERS[1]) + tag - Math.imul(leaving, this.#outgoing[1])) | 0;
    const mixed = Math.imul(next ^ (next >>> 15), MIXER) >>> 0;
    if (mixed >>> (32 - SPACING_BITS) !== 0 || this.#position < STRETCH) return undefined;
    return this.#remember(mixed, this.#hashes[1] >>> 0);
  }

  /** Begins a new stretch; what was seen stays known. */
  reset(): void {
    this.#ring.fill(0);
    this.#hashes = [0, 0];
    this.#position = 0;
    this.#repeated = false;
  }

  #remember(first: number, second: number): Raised {
    const slot = Math.imul(second ^ (second >>> 13), MIXER) >>> (32 - REMEMBERED_BITS);
    const known = this.#first[slot] === first && this.#second[slot] === second;
    this.#first[slot] = first;
    this.#second[slot] = second;
    const again = known && this.#repeated;
    this.#repeated = known && !again;
    if (!known) return undefined;
    return again ? 'permanent' : 'intermittent';
  }
}

function power(multiplier: number): number {
  let result = 1;
  for (let count = 0; count < STRETCH; count += 1) result = Math.imul(result, multiplier);
  return result;
}
