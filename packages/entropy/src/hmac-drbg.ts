import { EMPTY, SymmetraError, concat, hmacSha256, wipe } from '@symmetra/crypto';

/** SP 800-90A Rev. 1 table 2 for SHA-256: outlen, and the security strength that is claimed. */
const OUTPUT_BYTES = 32;
const STRENGTH_BYTES = 32;
/** At least half the security strength (8.6.7). */
const MIN_NONCE_BYTES = 16;
/** Table 2: 2^19 bits. */
export const DRBG_MAX_REQUEST_BYTES = 2 ** 16;
/** Below the 2^35 bits that table 2 allows. */
export const DRBG_MAX_INPUT_BYTES = 2 ** 16;
/** Table 2. */
export const DRBG_MAX_RESEED_INTERVAL = 2 ** 48;

const ZERO = Uint8Array.of(0x00);
const ONE = Uint8Array.of(0x01);

/** What an instance starts from (SP 800-90A Rev. 1, 10.1.2.3). */
export interface DrbgSeed {
  /** At least 32 bytes with 256 bits of entropy. */
  readonly entropy: Uint8Array;
  /** At least 16 bytes. */
  readonly nonce: Uint8Array;
  readonly personalization?: Uint8Array;
  /** Generate calls between two seeds, at most 2^48, which is the default. */
  readonly reseedInterval?: number;
}

/**
 * HMAC_DRBG with SHA-256, SP 800-90A Rev. 1 section 10.1.2, security strength 256 bits. It holds
 * no entropy source: prediction resistance is a {@link HmacDrbg.reseed} before a generate call.
 * Every input is lent, never kept or changed.
 */
export class HmacDrbg {
  #key: Uint8Array;
  #value: Uint8Array;
  #reseedCounter = 1;
  readonly #reseedInterval: number;
  #wiped = false;

  /**
   * Instantiate (10.1.2.3).
   * @throws DRBG_ENTROPY_TOO_SHORT, DRBG_NONCE_TOO_SHORT, DRBG_INPUT_TOO_LONG, DRBG_RESEED_INTERVAL
   */
  constructor(seed: DrbgSeed) {
    const { entropy, nonce, personalization = EMPTY, reseedInterval = DRBG_MAX_RESEED_INTERVAL } = seed;
    checkEntropy(entropy);
    checkInput(nonce, 'the nonce');
    checkInput(personalization, 'the personalization string');
    if (nonce.length < MIN_NONCE_BYTES) {
      throw new SymmetraError('DRBG_NONCE_TOO_SHORT', `the nonce has ${nonce.length} bytes, 16 are needed`, {
        length: nonce.length,
      });
    }
    if (!(
      Number.isInteger(reseedInterval) &&
      reseedInterval >= 1 &&
      reseedInterval <= DRBG_MAX_RESEED_INTERVAL
    )) {
      throw new SymmetraError('DRBG_RESEED_INTERVAL', 'the reseed interval must be from 1 to 2^48 calls', {
        reseedInterval,
      });
    }
    this.#reseedInterval = reseedInterval;
    this.#key = new Uint8Array(OUTPUT_BYTES).fill(0x00);
    this.#value = new Uint8Array(OUTPUT_BYTES).fill(0x01);
    const material = concat(entropy, nonce, personalization);
    this.#update(material);
    wipe(material);
  }

  /**
   * Reseed (10.1.2.4): the new state depends on the old one and on all of the input.
   * @throws DRBG_ENTROPY_TOO_SHORT, DRBG_INPUT_TOO_LONG, DRBG_WIPED
   */
  reseed(entropy: Uint8Array, additionalInput: Uint8Array = EMPTY): void {
    this.#checkAlive();
    checkEntropy(entropy);
    checkInput(additionalInput, 'the additional input');
    const material = concat(entropy, additionalInput);
    this.#update(material);
    wipe(material);
    this.#reseedCounter = 1;
  }

  /**
   * Generate (10.1.2.5). The state moves on before the bytes are returned.
   * @param length bytes, at most 65,536.
   * @throws DRBG_REQUEST_TOO_LARGE, DRBG_INPUT_TOO_LONG, DRBG_RESEED_REQUIRED, DRBG_WIPED
   */
  generate(length: number, additionalInput: Uint8Array = EMPTY): Uint8Array {
    this.#checkAlive();
    if (!(Number.isInteger(length) && length >= 0 && length <= DRBG_MAX_REQUEST_BYTES)) {
      throw new SymmetraError('DRBG_REQUEST_TOO_LARGE', `one call gives at most 65536 bytes, not ${length}`, {
        length,
      });
    }
    checkInput(additionalInput, 'the additional input');
    if (this.#reseedCounter > this.#reseedInterval) {
      throw new SymmetraError('DRBG_RESEED_REQUIRED', 'the generator must be reseeded before it gives more');
    }
    if (additionalInput.length > 0) this.#update(additionalInput);
    const output = new Uint8Array(length);
    for (let at = 0; at < length; at += OUTPUT_BYTES) {
      this.#step();
      output.set(this.#value.subarray(0, length - at), at);
    }
    this.#update(additionalInput);
    this.#reseedCounter += 1;
    return output;
  }

  /** Uninstantiate (9.4): zeroes the state for good. */
  wipe(): void {
    wipe(this.#key, this.#value);
    this.#wiped = true;
  }

  /** HMAC_DRBG_Update (10.1.2.2). */
  #update(provided: Uint8Array): void {
    this.#rekey(ZERO, provided);
    if (provided.length > 0) this.#rekey(ONE, provided);
  }

  #rekey(separator: Uint8Array, provided: Uint8Array): void {
    const next = hmacSha256(this.#key, this.#value, separator, provided);
    wipe(this.#key);
    this.#key = next;
    this.#step();
  }

  #step(): void {
    const next = hmacSha256(this.#key, this.#value);
    wipe(this.#value);
    this.#value = next;
  }

  #checkAlive(): void {
    if (this.#wiped) throw new SymmetraError('DRBG_WIPED', 'the generator was used after it had been wiped');
  }
}

function checkEntropy(entropy: Uint8Array): void {
  checkInput(entropy, 'the entropy input');
  if (entropy.length >= STRENGTH_BYTES) return;
  throw new SymmetraError(
    'DRBG_ENTROPY_TOO_SHORT',
    `the entropy input has ${entropy.length} bytes, 32 are needed`,
    { length: entropy.length },
  );
}

function checkInput(input: Uint8Array, what: string): void {
  if (input.length <= DRBG_MAX_INPUT_BYTES) return;
  throw new SymmetraError('DRBG_INPUT_TOO_LONG', `${what} has ${input.length} bytes, the limit is 65536`, {
    length: input.length,
  });
}
