import { checkLength } from './backend.js';
import { wipe } from './bytes.js';
import { SymmetraError } from './error.js';

/*
 * Shamir's secret sharing, byte by byte over GF(2^8) with the AES polynomial 0x11b. Four field
 * elements lie in one 32-bit word. Secret elements are only ever multiplied by public ones (a
 * share's x, a Lagrange coefficient), by shifts and masks: no lookup and no branch depends on a
 * secret.
 */

/** The largest number of shares: one for each non-zero field element. */
export const MAX_SHARES = 255;
const MIN_THRESHOLD = 2;

const LOW_SEVEN_BITS = 0x7f7f7f7f;
const LOWEST_BITS = 0x01010101;
/** x^8 = x^4 + x^3 + x + 1 in the field. */
const REDUCTION = 0x1b;

/** One share with the point it belongs to. */
export interface Share {
  /** 1 to 255. The share at index i of {@link split} has x = i + 1. */
  readonly x: number;
  readonly bytes: Uint8Array;
}

/**
 * Splits a secret into n shares, any k of which give it back and fewer say nothing about it.
 *
 * @param coins (k - 1) * secret.length uniform random bytes: coefficient j (from 1) of byte i is
 *   `coins[(j - 1) * secret.length + i]`.
 * @returns n shares of the secret's length; share i is the polynomials' value at x = i + 1.
 * @throws BAD_THRESHOLD unless 2 <= k <= n <= 255; BAD_SHARE for an empty secret; BAD_COINS when the coins have
 *   another length.
 */
export function split(secret: Uint8Array, k: number, n: number, coins: Uint8Array): Uint8Array[] {
  if (!Number.isInteger(k) || !Number.isInteger(n) || k < MIN_THRESHOLD || k > n || n > MAX_SHARES) {
    throw new SymmetraError('BAD_THRESHOLD', `can not share with threshold ${k} of ${n}`, { k, n });
  }
  if (secret.length === 0) throw new SymmetraError('BAD_SHARE', 'an empty secret can not be shared');
  checkLength(coins, (k - 1) * secret.length, 'BAD_COINS', 'the coins of a sharing');

  const coefficients = [toWords(secret)];
  for (let j = 0; j < k - 1; j++) {
    coefficients.push(toWords(coins.subarray(j * secret.length, (j + 1) * secret.length)));
  }
  const shares = Array.from({ length: n }, (_, i) => evaluate(coefficients, i + 1, secret.length));
  for (const words of coefficients) words.fill(0);
  return shares;
}

/**
 * The value at x = 0 of the polynomials through exactly the given shares. With shares of different
 * secrets, or fewer than the threshold, the result is another secret: verify shares beforehand.
 *
 * @throws BAD_SHARE for fewer than 2 shares, an x outside 1..255 or used twice, empty shares or lengths that differ.
 */
export function combine(shares: readonly Share[]): Uint8Array {
  const length = checkShares(shares);
  const sum = new Int32Array(Math.ceil(length / 4));
  for (const share of shares) {
    const words = toWords(share.bytes);
    const weight = lagrangeAtZero(shares, share.x);
    for (let w = 0; w < sum.length; w++) {
      sum[w] = (sum[w] as number) ^ multiplyWord(words[w] as number, weight);
    }
    words.fill(0);
  }
  return toBytes(sum, length);
}

/** Horner's rule at the public point x. */
function evaluate(coefficients: readonly Int32Array[], x: number, length: number): Uint8Array {
  const value = new Int32Array(Math.ceil(length / 4));
  for (let j = coefficients.length - 1; j >= 0; j--) {
    const words = coefficients[j] as Int32Array;
    for (let w = 0; w < value.length; w++) {
      value[w] = multiplyWord(value[w] as number, x) ^ (words[w] as number);
    }
  }
  return toBytes(value, length);
}

/** Four secret field elements times one public element. */
function multiplyWord(word: number, publicFactor: number): number {
  let product = 0;
  let multiple = word;
  for (let rest = publicFactor; rest !== 0; rest >>>= 1) {
    if ((rest & 1) !== 0) product ^= multiple;
    multiple = ((multiple & LOW_SEVEN_BITS) << 1) ^ Math.imul((multiple >>> 7) & LOWEST_BITS, REDUCTION);
  }
  return product;
}

/** The public coefficient of the share at x: the product of x_j / (x_j - x) over the other shares. */
function lagrangeAtZero(shares: readonly Share[], x: number): number {
  let numerator = 1;
  let denominator = 1;
  for (const other of shares) {
    if (other.x === x) continue;
    numerator = multiplyWord(numerator, other.x);
    denominator = multiplyWord(denominator, other.x ^ x);
  }
  return multiplyWord(numerator, invert(denominator));
}

/** a^254 = a^-1 for a public, non-zero element. */
function invert(a: number): number {
  let inverse = 1;
  let power = a;
  for (let bit = 1; bit < 8; bit++) {
    power = multiplyWord(power, power);
    inverse = multiplyWord(inverse, power);
  }
  return inverse;
}

function checkShares(shares: readonly Share[]): number {
  const length = shares[0]?.bytes.length ?? 0;
  if (shares.length < MIN_THRESHOLD || length === 0) {
    throw new SymmetraError('BAD_SHARE', 'combining needs at least two shares that are not empty', {
      shares: shares.length,
    });
  }
  const seen = new Set<number>();
  for (const { x, bytes } of shares) {
    if (!Number.isInteger(x) || x < 1 || x > MAX_SHARES) {
      throw new SymmetraError('BAD_SHARE', `a share can not stand at x = ${x}`, { x });
    }
    if (seen.has(x)) throw new SymmetraError('BAD_SHARE', `two shares stand at x = ${x}`, { x });
    if (bytes.length !== length) {
      throw new SymmetraError('BAD_SHARE', 'the shares differ in length', { x, expected: length });
    }
    seen.add(x);
  }
  return length;
}

function toWords(bytes: Uint8Array): Int32Array {
  const words = new Int32Array(Math.ceil(bytes.length / 4));
  new Uint8Array(words.buffer).set(bytes);
  return words;
}

/** The first `length` bytes of the words, which are wiped. */
function toBytes(words: Int32Array, length: number): Uint8Array {
  const all = new Uint8Array(words.buffer);
  const bytes = all.slice(0, length);
  wipe(all);
  return bytes;
}
