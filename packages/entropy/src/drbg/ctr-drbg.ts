import { createCipheriv } from 'node:crypto';
import { EMPTY, SymmetraError, wipe } from '@symmetra/crypto';
import { blockCipherDf } from './block-cipher-df.js';
import { DRBG_MAX_REQUEST_BYTES, DrbgLife, checkEntropy, checkInput, checkNonce } from './drbg.js';
import type { Drbg, DrbgSeed } from './drbg.js';
import { fixedBytes, fixedCopy } from './fixed-bytes.js';

/** SP 800-90A Rev. 1 table 3 for AES-256: blocklen, keylen and seedlen (384 bits). */
const BLOCK_BYTES = 16;
const KEY_BYTES = 32;
const SEED_BYTES = KEY_BYTES + BLOCK_BYTES;

/** AES-CTR gives its key stream where it encrypts zeros. Never written to. */
const ZEROS = new Uint8Array(DRBG_MAX_REQUEST_BYTES + SEED_BYTES);

/** What an instance without derivation function starts from. */
export interface FullEntropySeed {
  /** Exactly 48 bytes with full entropy. */
  readonly fullEntropy: Uint8Array;
  /** At most 48 bytes. */
  readonly personalization?: Uint8Array;
  /** Generate calls between two seeds, at most 2^48, which is the default. */
  readonly reseedInterval?: number;
}

/**
 * CTR_DRBG with AES-256, SP 800-90A Rev. 1 section 10.2.1, security strength 256 bits. The seed decides about the
 * derivation function: a {@link FullEntropySeed} needs none, and then reseeds take exactly 48 bytes of full entropy and
 * additional input has at most 48 bytes; any other seed goes through Block_Cipher_df, as does all later input.
 */
export class CtrDrbg implements Drbg {
  readonly #derives: boolean;
  readonly #life: DrbgLife;
  readonly #key = fixedBytes(KEY_BYTES);
  /** V + 1: the counter of the next block. */
  readonly #next = fixedBytes(BLOCK_BYTES);

  /**
   * Instantiate (10.2.1.3).
   * @throws DRBG_ENTROPY_TOO_SHORT, DRBG_NONCE_TOO_SHORT, DRBG_INPUT_TOO_LONG, DRBG_RESEED_INTERVAL, DRBG_SEED_LENGTH
   *   when full entropy of another length than 48 bytes is given
   */
  constructor(seed: DrbgSeed | FullEntropySeed) {
    this.#derives = !('fullEntropy' in seed);
    const { personalization = EMPTY } = seed;
    this.#checkText(personalization, 'the personalization string');
    this.#life = new DrbgLife(seed.reseedInterval);
    const material =
      'fullEntropy' in seed
        ? combine(seed.fullEntropy, personalization)
        : derive(seed.entropy, seed.nonce, personalization);
    this.#next[BLOCK_BYTES - 1] = 1;
    this.#update(material);
    wipe(material);
  }

  /** Reseed (10.2.1.4). See {@link Drbg.reseed}. */
  reseed(entropy: Uint8Array, additionalInput: Uint8Array = EMPTY): void {
    this.#life.checkAlive();
    this.#checkText(additionalInput, 'the additional input');
    if (this.#derives) checkEntropy(entropy);
    const material = this.#derives
      ? blockCipherDf(SEED_BYTES, entropy, additionalInput)
      : combine(entropy, additionalInput);
    this.#update(material);
    wipe(material);
    this.#life.reseeded();
  }

  /** Generate (10.2.1.5). See {@link Drbg.generate}. */
  generate(length: number, additionalInput: Uint8Array = EMPTY): Uint8Array {
    this.#life.checkRequest(length);
    const output = new Uint8Array(length);
    this.generateInto(output, additionalInput);
    return output;
  }

  /** The same into an array that is there already, from its first byte to its last. */
  generateInto(output: Uint8Array, additionalInput: Uint8Array = EMPTY): void {
    this.#life.checkRequest(output.length);
    this.#checkText(additionalInput, 'the additional input');
    const provided = this.#provided(additionalInput);
    if (provided.length > 0) this.#update(provided);
    // The update that ends the call takes the blocks that follow, under the same key.
    const whole = Math.ceil(output.length / BLOCK_BYTES) * BLOCK_BYTES;
    const stream = this.#stream(whole + SEED_BYTES);
    output.set(stream.subarray(0, output.length));
    this.#replace(stream.subarray(whole), provided);
    wipe(stream, provided);
    this.#life.generated();
  }

  wipe(): void {
    wipe(this.#key, this.#next);
    this.#life.end();
  }

  #checkText(input: Uint8Array, what: string): void {
    if (this.#derives) checkInput(input, what);
    else checkInput(input, what, SEED_BYTES);
  }

  /** Additional input in the length of a seed; none stays none. */
  #provided(additionalInput: Uint8Array): Uint8Array {
    if (additionalInput.length === 0) return EMPTY;
    if (this.#derives) return blockCipherDf(SEED_BYTES, additionalInput);
    const padded = fixedBytes(SEED_BYTES);
    padded.set(additionalInput);
    return padded;
  }

  /** CTR_DRBG_Update (10.2.1.2). */
  #update(provided: Uint8Array): void {
    const stream = this.#stream(SEED_BYTES);
    this.#replace(stream, provided);
    wipe(stream);
  }

  #stream(length: number): Uint8Array {
    const cipher = createCipheriv('aes-256-ctr', this.#key, this.#next);
    const stream = cipher.update(ZEROS.subarray(0, length));
    // Frees the key schedule at once.
    cipher.final();
    return stream;
  }

  /** Key and V become the key stream XOR what is provided. */
  #replace(stream: Uint8Array, provided: Uint8Array): void {
    for (let i = 0; i < provided.length; i++) stream[i] = (stream[i] as number) ^ (provided[i] as number);
    this.#key.set(stream.subarray(0, KEY_BYTES));
    this.#next.set(stream.subarray(KEY_BYTES));
    let carry = 1;
    for (let i = BLOCK_BYTES - 1; i >= 0; i--) {
      carry += this.#next[i] as number;
      this.#next[i] = carry & 0xff;
      carry >>>= 8;
    }
  }
}

/** The seed material with the derivation function (10.2.1.3.2). */
function derive(entropy: Uint8Array, nonce: Uint8Array, personalization: Uint8Array): Uint8Array {
  checkEntropy(entropy);
  checkNonce(nonce);
  return blockCipherDf(SEED_BYTES, entropy, nonce, personalization);
}

/** The seed material without it (10.2.1.3.1): full entropy XOR the other input, padded with zeros. */
function combine(fullEntropy: Uint8Array, other: Uint8Array): Uint8Array {
  if (fullEntropy.length !== SEED_BYTES) {
    throw new SymmetraError(
      'DRBG_SEED_LENGTH',
      `without derivation function a seed has 48 bytes, not ${fullEntropy.length}`,
      { length: fullEntropy.length },
    );
  }
  const material = fixedCopy(fullEntropy);
  for (let i = 0; i < other.length; i++) material[i] = (material[i] as number) ^ (other[i] as number);
  return material;
}
