import { wipe } from '@symmetra/crypto';
import { BytePool } from './byte-pool.js';
import { DRBG_MAX_REQUEST_BYTES } from './drbg/drbg.js';
import { HmacDrbg } from './drbg/hmac-drbg.js';
import type { RandomBytes, RandomSource } from './source.js';

/** 1.5 times the security strength: what SP 800-90C asks of a seed. */
const SEED_BYTES = 48;
const NONCE_BYTES = 16;
const FRESH_BYTES = 32;
/** One generate call for 32 draws of 32 bytes. */
const POOL_BYTES = 1024;

/**
 * The random numbers of a device (protocol section 5): an HMAC_DRBG seeded by the operating system,
 * into which the device mixes the entropy of every node it talks to. Each generate call takes fresh
 * operating-system entropy as additional input, each contribution is absorbed by a reseed, and
 * neither ever replaces the state: the output can not be foretold when one node's entropy, or the
 * device's own, is good. Nothing that came over a network is counted as entropy.
 */
export class DeviceRandom implements RandomSource {
  readonly name = 'device';
  readonly physical = false;
  readonly quantum = false;
  readonly #os: RandomBytes;
  readonly #drbg: HmacDrbg;
  readonly #pool: BytePool;

  /**
   * @param os the operating system's random bytes.
   * @param personalization optional bytes that tell this generator from others, such as a device id.
   */
  constructor(os: RandomBytes, personalization?: Uint8Array) {
    this.#os = os;
    const entropy = os(SEED_BYTES);
    const nonce = os(NONCE_BYTES);
    this.#drbg = new HmacDrbg({ entropy, nonce, ...(personalization && { personalization }) });
    wipe(entropy, nonce);
    this.#pool = new BytePool((length) => this.#generate(length), POOL_BYTES);
  }

  /** @throws RANDOM_LENGTH, DRBG_WIPED, and whatever the operating system's source throws. */
  readonly bytes: RandomBytes = (length) => this.#pool.draw(length);

  /**
   * Absorbs the entropy q of a node. The next draw already depends on it: bytes that were generated
   * before are thrown away.
   * @param contribution at most 65,536 bytes; lent, so the caller wipes it.
   * @throws DRBG_INPUT_TOO_LONG, DRBG_WIPED
   */
  mix(contribution: Uint8Array): void {
    const fresh = this.#os(FRESH_BYTES);
    this.#drbg.reseed(fresh, contribution);
    wipe(fresh);
    this.#pool.discard();
  }

  /** Zeroes the state for good. */
  wipe(): void {
    this.#pool.discard();
    this.#drbg.wipe();
  }

  #generate(length: number): Uint8Array {
    const output = new Uint8Array(length);
    for (let at = 0; at < length; at += DRBG_MAX_REQUEST_BYTES) {
      const fresh = this.#os(FRESH_BYTES);
      const block = this.#drbg.generate(Math.min(DRBG_MAX_REQUEST_BYTES, length - at), fresh);
      output.set(block, at);
      wipe(fresh, block);
    }
    return output;
  }
}
