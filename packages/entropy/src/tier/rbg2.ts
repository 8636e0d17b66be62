import { SymmetraError, wipe } from '@symmetra/crypto';
import { CtrDrbg } from '../drbg/ctr-drbg.js';
import type { SeedSupply } from '../source/seed-supply.js';

/** Output between two seeds (SP 800-90C, RBG2 and RBG3(XOR)): 2^17 bits. */
const STRETCH_BYTES = 2 ** 14;

/**
 * The RBG2 construction of SP 800-90C: CTR_DRBG with AES-256 and without derivation function, instantiated with 384
 * bits of full entropy (1.5 times its strength) and reseeded with as many after each 2^17 output bits. The stretch that
 * a seed allows is generated in one call; what is not handed out at once waits, and is zeroed when it goes: who reads
 * the memory learns the output until the next seed, as from a DRBG that generates on demand, and none before. Its 2^64
 * bits per instance are out of reach: at 10 Gbit/s they last 58 years.
 */
export class Rbg2 {
  readonly #supply: SeedSupply;
  readonly #personalization: Uint8Array;
  #drbg: CtrDrbg | undefined;
  readonly #stretch = new Uint8Array(STRETCH_BYTES);
  #used = STRETCH_BYTES;
  #seeds = 0;
  #wiped = false;

  /** @param personalization tells this instance from others (SP 800-90A, 8.7.1); at most 48 bytes. */
  constructor(supply: SeedSupply, personalization: Uint8Array) {
    this.#supply = supply;
    this.#personalization = personalization;
  }

  /** Seeds that it has taken. */
  get seeds(): number {
    return this.#seeds;
  }

  /** @throws ENTROPY_TIER_WIPED */
  checkAlive(): void {
    if (!this.#wiped) return;
    throw new SymmetraError('ENTROPY_TIER_WIPED', 'the tier was used after it had been wiped');
  }

  /** How many seeds the next `length` bytes take. */
  seedsFor(length: number): number {
    return Math.ceil(Math.max(0, length - (STRETCH_BYTES - this.#used)) / STRETCH_BYTES);
  }

  /** Fills the target with the next bytes; false when a supply has fewer seeds than it promised. */
  write(target: Uint8Array): boolean {
    let at = this.#drain(target);
    while (at < target.length) {
      if (target.length - at < STRETCH_BYTES) {
        if (!this.refill()) return false;
        at += this.#drain(target.subarray(at));
      } else {
        const drbg = this.#reseeded();
        if (drbg === undefined) return false;
        drbg.generateInto(target.subarray(at, at + STRETCH_BYTES));
        at += STRETCH_BYTES;
      }
    }
    return true;
  }

  /** Takes a seed and makes its stretch, in place of what is left of the last one; false when there is no seed. */
  refill(): boolean {
    const drbg = this.#reseeded();
    if (drbg === undefined) return false;
    drbg.generateInto(this.#stretch);
    this.#used = 0;
    return true;
  }

  #reseeded(): CtrDrbg | undefined {
    const seed = this.#supply.take();
    if (seed === undefined) return undefined;
    try {
      if (this.#drbg) this.#drbg.reseed(seed);
      else this.#drbg = new CtrDrbg({ fullEntropy: seed, personalization: this.#personalization });
    } finally {
      wipe(seed);
    }
    this.#seeds += 1;
    return this.#drbg;
  }

  /** Takes what is there of the stretch; how many bytes that were. */
  #drain(target: Uint8Array): number {
    const part = this.#stretch.subarray(this.#used, this.#used + target.length);
    target.set(part);
    wipe(part);
    this.#used += part.length;
    return part.length;
  }

  /** Zeroes the state for good. */
  wipe(): void {
    wipe(this.#stretch);
    this.#drbg?.wipe();
    this.#wiped = true;
  }
}
