import { SymmetraError } from '@symmetra/crypto';

/**
 * `length` bits, most significant first in each byte, as big-endian 32-bit words.
 *
 * `words` ends with at least two words of zeros, so that a window may reach past the last bit.
 */
export interface BitSequence {
  readonly length: number;
  readonly words: Uint32Array;
  readonly bytes: Uint8Array;
}

/**
 * The first `length` bits of `bytes` (all of them by default) as one sequence.
 *
 * @throws SymmetraError BATTERY_TOO_FEW_BITS when the bytes hold fewer than `length` bits,
 *   BATTERY_BAD_ARGUMENT when `length` is no whole number above 0
 */
export function bitSequence(bytes: Uint8Array, length = bytes.length * 8): BitSequence {
  if (length > bytes.length * 8) {
    throw new SymmetraError('BATTERY_TOO_FEW_BITS', 'the bytes hold fewer bits than were asked for', {
      asked: length,
      present: bytes.length * 8,
    });
  }
  if (!Number.isSafeInteger(length) || length < 1) {
    throw new SymmetraError('BATTERY_BAD_ARGUMENT', 'a sequence has a whole number of bits above 0', {
      length,
    });
  }
  const used = Math.ceil(length / 8);
  const words = new Uint32Array(Math.ceil(length / 32) + 2);
  const whole = used >>> 2;
  for (let i = 0, at = 0; i < whole; i++, at += 4) {
    words[i] = (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
  }
  for (let at = whole * 4; at < used; at++) words[whole]! |= bytes[at]! << (24 - 8 * (at & 3));
  if (length % 32 !== 0) words[length >>> 5]! &= -1 << (32 - (length % 32));
  return { length, words, bytes };
}

/** `count` bits (1 to 32) from position `at`, the first of them most significant. */
export function bitsAt(words: Uint32Array, at: number, count: number): number {
  const shift = at & 31;
  const index = at >>> 5;
  const head = words[index]! << shift;
  const window = shift === 0 ? head : head | (words[index + 1]! >>> (32 - shift));
  return window >>> (32 - count);
}

/** Bits set in a 32-bit word. */
export function popcount(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const nibbles = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((nibbles + (nibbles >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** Ones in the whole sequence. */
export function countOnes(sequence: BitSequence): number {
  let ones = 0;
  for (const word of sequence.words) ones += popcount(word);
  return ones;
}
