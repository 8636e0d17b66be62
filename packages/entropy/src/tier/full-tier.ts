import { SymmetraError, utf8, wipe } from '@symmetra/crypto';
import { SEED_BYTES } from '../source/seed-supply.js';
import type { SeedSupply } from '../source/seed-supply.js';
import { checkRandomLength } from '../source.js';
import type { RandomBytes } from '../source.js';
import type { TierLedger } from './ledger.js';
import { Rbg2 } from './rbg2.js';

const PERSONALIZATION = utf8('symmetra entropy tier full');

/**
 * The `full` tier: RBG3(XOR) of SP 800-90C, bytes with full entropy. Each output byte is a byte of full entropy that
 * is used for nothing else, XOR a byte of a DRBG of its own: should the entropy be worse than it was taken for, the
 * output is still that of a DRBG. It gives as many bits as it has taken, or refuses; it never becomes a DRBG alone.
 */
export class FullTier {
  readonly #supply: SeedSupply;
  readonly #rbg: Rbg2;
  /** The seed that the last output ended in; what was used of it is zeroed. */
  #mask: Uint8Array = new Uint8Array(0);
  #used = 0;
  #masks = 0;
  #bytesOut = 0;

  constructor(supply: SeedSupply) {
    this.#supply = supply;
    this.#rbg = new Rbg2(supply, PERSONALIZATION);
  }

  /** What it has taken and given. `maskBitsIn` is ahead of `bitsOut` by the unused rest of one seed at most. */
  get ledger(): TierLedger {
    return {
      seedBitsIn: this.#rbg.seeds * SEED_BYTES * 8,
      maskBitsIn: this.#masks * SEED_BYTES * 8,
      bitsOut: this.#bytesOut * 8,
    };
  }

  /**
   * @throws ENTROPY_SHORT when the supply can not cover all of the length; then nothing was taken or handed out.
   *   RANDOM_LENGTH, ENTROPY_TIER_WIPED
   */
  readonly bytes: RandomBytes = (length) => {
    checkRandomLength(length);
    this.#rbg.checkAlive();
    const [needed, available] = [this.#seedsFor(length), this.#supply.available];
    if (needed > available) throw short(length, needed, available);
    const output = new Uint8Array(length);
    let complete = false;
    try {
      complete = this.#rbg.write(output) && this.#maskOutput(output);
    } finally {
      if (!complete) wipe(output);
    }
    if (!complete) throw short(length, needed, available);
    this.#bytesOut += length;
    return output;
  };

  /** Zeroes the state for good. */
  wipe(): void {
    wipe(this.#mask);
    this.#rbg.wipe();
  }

  #seedsFor(length: number): number {
    const held = this.#mask.length - this.#used;
    return Math.ceil(Math.max(0, length - held) / SEED_BYTES) + this.#rbg.seedsFor(length);
  }

  /** XORs fresh entropy into the output; false when a supply has fewer seeds than it promised. */
  #maskOutput(output: Uint8Array): boolean {
    for (let at = 0; at < output.length;) {
      if (this.#used === this.#mask.length && !this.#takeMask()) return false;
      const part = this.#mask.subarray(this.#used, this.#used + output.length - at);
      for (let i = 0; i < part.length; i++) {
        output[at + i] = (output[at + i] as number) ^ (part[i] as number);
      }
      wipe(part);
      at += part.length;
      this.#used += part.length;
    }
    return true;
  }

  #takeMask(): boolean {
    const seed = this.#supply.take();
    if (seed === undefined) return false;
    this.#mask = seed;
    this.#used = 0;
    this.#masks += 1;
    return true;
  }
}

function short(length: number, needed: number, available: number): SymmetraError {
  return new SymmetraError(
    'ENTROPY_SHORT',
    'there is not enough full entropy for all of the bytes asked for',
    {
      length,
      needed,
      available,
    },
  );
}
