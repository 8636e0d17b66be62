import { SymmetraError } from '@symmetra/crypto';

/** SP 800-90A Rev. 1 tables 2 and 3: 2^19 bits. */
export const DRBG_MAX_REQUEST_BYTES = 2 ** 16;
/** Below the 2^35 bits that tables 2 and 3 allow. */
export const DRBG_MAX_INPUT_BYTES = 2 ** 16;
/** Tables 2 and 3. */
export const DRBG_MAX_RESEED_INTERVAL = 2 ** 48;

/** All generators here claim a security strength of 256 bits. */
const STRENGTH_BYTES = 32;
/** At least half the security strength (8.6.7). */
const MIN_NONCE_BYTES = 16;

/**
 * A deterministic random bit generator of SP 800-90A Rev. 1, security strength 256 bits. It holds no entropy source:
 * prediction resistance is a reseed before a generate call (9.3.1, step 7). Every input is lent, never kept or changed.
 * A call either does all of its work or, when it throws, leaves the state as it was.
 */
export interface Drbg {
  /**
   * The new state depends on the old one and on all of the input.
   * @throws DRBG_ENTROPY_TOO_SHORT, DRBG_SEED_LENGTH, DRBG_INPUT_TOO_LONG, DRBG_WIPED
   */
  reseed(entropy: Uint8Array, additionalInput?: Uint8Array): void;
  /**
   * The state moves on before the bytes are returned.
   * @param length bytes, at most 65,536.
   * @throws DRBG_REQUEST_TOO_LARGE, DRBG_INPUT_TOO_LONG, DRBG_RESEED_REQUIRED, DRBG_WIPED
   */
  generate(length: number, additionalInput?: Uint8Array): Uint8Array;
  /** Uninstantiate (9.4): zeroes the state for good. */
  wipe(): void;
}

/** What an instance starts from. */
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
 * Counts the generate calls since the last seed and knows whether the generator is wiped: what every mechanism does
 * in the same way (9.3.1, 9.4).
 */
export class DrbgLife {
  readonly #interval: number;
  #calls = 0;
  #wiped = false;

  /** @throws DRBG_RESEED_INTERVAL */
  constructor(reseedInterval: number = DRBG_MAX_RESEED_INTERVAL) {
    if (!(
      Number.isInteger(reseedInterval) &&
      reseedInterval >= 1 &&
      reseedInterval <= DRBG_MAX_RESEED_INTERVAL
    )) {
      throw new SymmetraError('DRBG_RESEED_INTERVAL', 'the reseed interval must be from 1 to 2^48 calls', {
        reseedInterval,
      });
    }
    this.#interval = reseedInterval;
  }

  /** The reseed counter of SP 800-90A: 1 after a seed. */
  get counter(): number {
    return this.#calls + 1;
  }

  /** @throws DRBG_WIPED */
  checkAlive(): void {
    if (this.#wiped) throw new SymmetraError('DRBG_WIPED', 'the generator was used after it had been wiped');
  }

  /** @throws DRBG_WIPED, DRBG_REQUEST_TOO_LARGE, DRBG_RESEED_REQUIRED */
  checkRequest(length: number): void {
    this.checkAlive();
    if (!(Number.isInteger(length) && length >= 0 && length <= DRBG_MAX_REQUEST_BYTES)) {
      throw new SymmetraError('DRBG_REQUEST_TOO_LARGE', `one call gives at most 65536 bytes, not ${length}`, {
        length,
      });
    }
    if (this.#calls >= this.#interval) {
      throw new SymmetraError('DRBG_RESEED_REQUIRED', 'the generator must be reseeded before it gives more');
    }
  }

  generated(): void {
    this.#calls += 1;
  }

  reseeded(): void {
    this.#calls = 0;
  }

  end(): void {
    this.#wiped = true;
  }
}

/** @throws DRBG_ENTROPY_TOO_SHORT, DRBG_INPUT_TOO_LONG */
export function checkEntropy(entropy: Uint8Array): void {
  checkInput(entropy, 'the entropy input');
  if (entropy.length >= STRENGTH_BYTES) return;
  throw new SymmetraError(
    'DRBG_ENTROPY_TOO_SHORT',
    `the entropy input has ${entropy.length} bytes, 32 are needed`,
    { length: entropy.length },
  );
}

/** @throws DRBG_NONCE_TOO_SHORT, DRBG_INPUT_TOO_LONG */
export function checkNonce(nonce: Uint8Array): void {
  checkInput(nonce, 'the nonce');
  if (nonce.length >= MIN_NONCE_BYTES) return;
  throw new SymmetraError('DRBG_NONCE_TOO_SHORT', `the nonce has ${nonce.length} bytes, 16 are needed`, {
    length: nonce.length,
  });
}

/** @throws DRBG_INPUT_TOO_LONG */
export function checkInput(input: Uint8Array, what: string, limit: number = DRBG_MAX_INPUT_BYTES): void {
  if (input.length <= limit) return;
  throw new SymmetraError('DRBG_INPUT_TOO_LONG', `${what} has ${input.length} bytes, the limit is ${limit}`, {
    length: input.length,
    limit,
  });
}
