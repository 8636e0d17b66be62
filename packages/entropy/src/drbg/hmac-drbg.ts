import { createHmac } from 'node:crypto';
import { EMPTY, concat, hmacSha256, wipe } from '@symmetra/crypto';
import { DrbgLife, checkEntropy, checkInput, checkNonce } from './drbg.js';
import type { Drbg, DrbgSeed } from './drbg.js';

const ZERO = Uint8Array.of(0x00);
const ONE = Uint8Array.of(0x01);

/** SP 800-90A Rev. 1 table 2: the hash functions that this mechanism can be built on, with `outlen` in bytes. */
const HASHES = {
  sha256: { length: 32, hmac: hmacSha256 },
  sha512: { length: 64, hmac: hmacSha512 },
} as const;

/**
 * HMAC_DRBG, SP 800-90A Rev. 1 section 10.1.2, security strength 256 bits, with SHA-256 unless SHA-512 is asked for.
 */
export class HmacDrbg implements Drbg {
  readonly #hash: (typeof HASHES)[keyof typeof HASHES];
  readonly #life: DrbgLife;
  #key: Uint8Array;
  #value: Uint8Array;

  /**
   * Instantiate (10.1.2.3).
   * @throws DRBG_ENTROPY_TOO_SHORT, DRBG_NONCE_TOO_SHORT, DRBG_INPUT_TOO_LONG, DRBG_RESEED_INTERVAL
   */
  constructor(seed: DrbgSeed, hash: 'sha256' | 'sha512' = 'sha256') {
    const { entropy, nonce, personalization = EMPTY } = seed;
    checkEntropy(entropy);
    checkNonce(nonce);
    checkInput(personalization, 'the personalization string');
    this.#life = new DrbgLife(seed.reseedInterval);
    this.#hash = HASHES[hash];
    this.#key = new Uint8Array(this.#hash.length).fill(0x00);
    this.#value = new Uint8Array(this.#hash.length).fill(0x01);
    const material = concat(entropy, nonce, personalization);
    this.#update(material);
    wipe(material);
  }

  /** Reseed (10.1.2.4). See {@link Drbg.reseed}; the entropy has at least 32 bytes. */
  reseed(entropy: Uint8Array, additionalInput: Uint8Array = EMPTY): void {
    this.#life.checkAlive();
    checkEntropy(entropy);
    checkInput(additionalInput, 'the additional input');
    const material = concat(entropy, additionalInput);
    this.#update(material);
    wipe(material);
    this.#life.reseeded();
  }

  /** Generate (10.1.2.5). See {@link Drbg.generate}. */
  generate(length: number, additionalInput: Uint8Array = EMPTY): Uint8Array {
    this.#life.checkRequest(length);
    checkInput(additionalInput, 'the additional input');
    if (additionalInput.length > 0) this.#update(additionalInput);
    const output = new Uint8Array(length);
    for (let at = 0; at < length; at += this.#hash.length) {
      this.#step();
      output.set(this.#value.subarray(0, length - at), at);
    }
    this.#update(additionalInput);
    this.#life.generated();
    return output;
  }

  wipe(): void {
    wipe(this.#key, this.#value);
    this.#life.end();
  }

  /** HMAC_DRBG_Update (10.1.2.2). */
  #update(provided: Uint8Array): void {
    this.#rekey(ZERO, provided);
    if (provided.length > 0) this.#rekey(ONE, provided);
  }

  #rekey(separator: Uint8Array, provided: Uint8Array): void {
    const next = this.#hash.hmac(this.#key, this.#value, separator, provided);
    wipe(this.#key);
    this.#key = next;
    this.#step();
  }

  #step(): void {
    const next = this.#hash.hmac(this.#key, this.#value);
    wipe(this.#value);
    this.#value = next;
  }
}

function hmacSha512(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  const hmac = createHmac('sha512', key);
  for (const part of parts) hmac.update(part);
  return hmac.digest();
}
