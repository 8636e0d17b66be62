import { createHash } from 'node:crypto';
import { EMPTY, wipe } from '@symmetra/crypto';
import { DrbgLife, checkEntropy, checkInput, checkNonce } from './drbg.js';
import type { Drbg, DrbgSeed } from './drbg.js';

/** SP 800-90A Rev. 1 table 2 for SHA-512: outlen and seedlen (888 bits). */
const OUTPUT_BYTES = 64;
const SEED_BYTES = 111;

const ZERO = Uint8Array.of(0x00);
const ONE = Uint8Array.of(0x01);
const TWO = Uint8Array.of(0x02);
const THREE = Uint8Array.of(0x03);

/** Hash_DRBG with SHA-512, SP 800-90A Rev. 1 section 10.1.1, security strength 256 bits. */
export class HashDrbg implements Drbg {
  readonly #life: DrbgLife;
  readonly #value = new Uint8Array(SEED_BYTES);
  readonly #constant = new Uint8Array(SEED_BYTES);

  /**
   * Instantiate (10.1.1.2).
   * @throws DRBG_ENTROPY_TOO_SHORT, DRBG_NONCE_TOO_SHORT, DRBG_INPUT_TOO_LONG, DRBG_RESEED_INTERVAL
   */
  constructor({ entropy, nonce, personalization = EMPTY, reseedInterval }: DrbgSeed) {
    checkEntropy(entropy);
    checkNonce(nonce);
    checkInput(personalization, 'the personalization string');
    this.#life = new DrbgLife(reseedInterval);
    this.#seed(entropy, nonce, personalization);
  }

  /** Reseed (10.1.1.3). See {@link Drbg.reseed}; the entropy has at least 32 bytes. */
  reseed(entropy: Uint8Array, additionalInput: Uint8Array = EMPTY): void {
    this.#life.checkAlive();
    checkEntropy(entropy);
    checkInput(additionalInput, 'the additional input');
    this.#seed(ONE, this.#value, entropy, additionalInput);
    this.#life.reseeded();
  }

  /** Generate (10.1.1.4). See {@link Drbg.generate}. */
  generate(length: number, additionalInput: Uint8Array = EMPTY): Uint8Array {
    this.#life.checkRequest(length);
    checkInput(additionalInput, 'the additional input');
    if (additionalInput.length > 0) this.#absorb(TWO, additionalInput);
    const output = hashgen(this.#value, length);
    const counter = new Uint8Array(8);
    new DataView(counter.buffer).setBigUint64(0, BigInt(this.#life.counter));
    this.#absorb(THREE, EMPTY, this.#constant, counter);
    this.#life.generated();
    return output;
  }

  wipe(): void {
    wipe(this.#value, this.#constant);
    this.#life.end();
  }

  /** V = Hash_df(material), C = Hash_df(0x00 || V). */
  #seed(...material: readonly Uint8Array[]): void {
    const value = hashDf(...material);
    const constant = hashDf(ZERO, value);
    this.#value.set(value);
    this.#constant.set(constant);
    wipe(value, constant);
  }

  /** V = V + Hash(separator || V || input) + further terms, modulo 2^seedlen. */
  #absorb(separator: Uint8Array, input: Uint8Array, ...further: readonly Uint8Array[]): void {
    const digest = sha512(separator, this.#value, input);
    for (const term of [digest, ...further]) add(this.#value, term);
    wipe(digest);
  }
}

/** Hashgen (10.1.1.4). */
function hashgen(value: Uint8Array, length: number): Uint8Array {
  const output = new Uint8Array(length);
  const data = new Uint8Array(value);
  for (let at = 0; at < length; at += OUTPUT_BYTES) {
    const block = sha512(data);
    output.set(block.subarray(0, length - at), at);
    wipe(block);
    add(data, ONE);
  }
  wipe(data);
  return output;
}

/** Hash_df (10.3.1) to seedlen bits. */
function hashDf(...material: readonly Uint8Array[]): Uint8Array {
  const output = new Uint8Array(SEED_BYTES);
  const prefix = new Uint8Array(5);
  new DataView(prefix.buffer).setUint32(1, SEED_BYTES * 8);
  for (let at = 0; at < SEED_BYTES; at += OUTPUT_BYTES) {
    prefix[0] = at / OUTPUT_BYTES + 1;
    const block = sha512(prefix, ...material);
    output.set(block.subarray(0, SEED_BYTES - at), at);
    wipe(block);
  }
  return output;
}

/** Adds a big-endian number that is not longer; the carry out is lost. The time depends on no value. */
function add(sum: Uint8Array, term: Uint8Array): void {
  const shift = sum.length - term.length;
  let carry = 0;
  for (let i = sum.length - 1; i >= 0; i--) {
    carry += (sum[i] as number) + (i >= shift ? (term[i - shift] as number) : 0);
    sum[i] = carry & 0xff;
    carry >>>= 8;
  }
}

function sha512(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha512');
  for (const part of parts) hash.update(part);
  return hash.digest();
}
