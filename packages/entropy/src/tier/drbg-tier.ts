import { SymmetraError, utf8, wipe } from '@symmetra/crypto';
import { SEED_BYTES } from '../source/seed-supply.js';
import type { SeedSupply } from '../source/seed-supply.js';
import { checkRandomLength } from '../source.js';
import type { RandomBytes } from '../source.js';
import type { TierLedger } from './ledger.js';
import { Rbg2 } from './rbg2.js';

const PERSONALIZATION = utf8('symmetra entropy tier drbg');

/**
 * The `drbg` tier: RBG2 of SP 800-90C, computationally secure bytes at 256 bits of strength. When no seed is left it
 * goes on to the end of the 2^17 bits that its last seed allows, refuses then, and goes on by itself once there are
 * seeds again.
 */
export class DrbgTier {
  readonly #supply: SeedSupply;
  readonly #rbg: Rbg2;
  #bytesOut = 0;

  /**
   * Instantiates with the first seed.
   * @throws ENTROPY_EXHAUSTED when there is none
   */
  constructor(supply: SeedSupply) {
    this.#supply = supply;
    this.#rbg = new Rbg2(supply, PERSONALIZATION);
    if (!this.#rbg.refill()) throw exhausted(0, 1, supply.available);
  }

  /** What it has taken and given. */
  get ledger(): TierLedger {
    return {
      seedBitsIn: this.#rbg.seeds * SEED_BYTES * 8,
      maskBitsIn: 0,
      bitsOut: this.#bytesOut * 8,
    };
  }

  /**
   * @throws ENTROPY_EXHAUSTED when the length needs more seeds than there are; then nothing was taken or handed out,
   *   and a shorter draw may still succeed. RANDOM_LENGTH, ENTROPY_TIER_WIPED
   */
  readonly bytes: RandomBytes = (length) => {
    checkRandomLength(length);
    this.#rbg.checkAlive();
    const [needed, available] = [this.#rbg.seedsFor(length), this.#supply.available];
    if (needed > available) throw exhausted(length, needed, available);
    const output = new Uint8Array(length);
    let complete = false;
    try {
      complete = this.#rbg.write(output);
    } finally {
      if (!complete) wipe(output);
    }
    if (!complete) throw exhausted(length, needed, available);
    this.#bytesOut += length;
    return output;
  };

  /** Zeroes the state for good. */
  wipe(): void {
    this.#rbg.wipe();
  }
}

function exhausted(length: number, needed: number, available: number): SymmetraError {
  return new SymmetraError(
    'ENTROPY_EXHAUSTED',
    'the sources give no entropy now, and the last seed allows no more output',
    { length, needed, available },
  );
}
