import { createCipheriv } from 'node:crypto';
import type { Cipher } from 'node:crypto';
import { SymmetraError } from '@symmetra/crypto';

/** Bytes of a seed: an AES-256 key. */
export const DETECTOR_SEED_BYTES = 32;
const BLOCK_WORDS = 16_384;
const TO_UNIT = 2 ** -32;

/** The chance in the model: AES-256 in counter mode, so that a seed gives the same clicks on every machine. */
export class Keystream {
  readonly #cipher: Cipher;
  readonly #zeros = new Uint8Array(4 * BLOCK_WORDS);
  readonly #words = new Uint32Array(BLOCK_WORDS);
  #at = BLOCK_WORDS;

  /** @throws DETECTOR_SEED when the seed, which is only lent, has not 32 bytes. */
  constructor(seed: Uint8Array) {
    if (seed.length !== DETECTOR_SEED_BYTES) {
      throw new SymmetraError('DETECTOR_SEED', 'the seed of a simulated detector has 32 bytes', {
        bytes: seed.length,
      });
    }
    this.#cipher = createCipheriv('aes-256-ctr', seed, new Uint8Array(16));
  }

  /** The next 32 bits. */
  word(): number {
    if (this.#at === BLOCK_WORDS) this.#refill();
    return this.#words[this.#at++] ?? 0;
  }

  /** An exponential deviate of mean 1; its tail ends at 22.9, where 2^-33 is left. */
  exponential(): number {
    return -Math.log((this.word() + 0.5) * TO_UNIT);
  }

  #refill(): void {
    const bytes = this.#cipher.update(this.#zeros);
    new Uint8Array(this.#words.buffer).set(bytes);
    bytes.fill(0);
    this.#at = 0;
  }
}
