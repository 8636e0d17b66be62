import { suffixArrayOf } from '../suffix-array.js';
import { codedBits } from './bzip2-coding.js';

/** Level 5: a block ends when it holds this much. */
const blockBytes = 5 * 100_000 - 19;
/** `BZh5`; then the end: six bytes of magic and the checksum. */
const streamBits = 32 + 48 + 32;
/** Magic, checksum, the bit for randomised blocks, the place of the original. */
const blockHeaderBits = 48 + 32 + 1 + 24;

/** The alphabet of the text in the order of its bytes: the space and the digits. */
const space = 0;
const textAlphabet = 11;

/**
 * How many bytes bzip2 at level 5 makes of the samples written in decimal with spaces between
 * (clause 5.1.11). It computes the length that the program gives, without writing the output.
 *
 * No byte occurs more than three times in a row in such a text, so that bzip2's first step, the
 * coding of runs of four and more, changes nothing.
 */
export function compressedLength(samples: Uint8Array): number {
  const text = textOf(samples);
  let bits = streamBits;
  let start = 0;
  while (start < text.length) {
    const end = endOfBlock(text, start);
    bits += blockHeaderBits + codedBits(lastColumn(text.subarray(start, end)));
    start = end;
  }
  return Math.ceil(bits / 8);
}

function textOf(samples: Uint8Array): Uint8Array {
  const text = new Uint8Array(samples.length * 4);
  let at = 0;
  for (const sample of samples) {
    if (sample >= 100) text[at++] = 1 + Math.floor(sample / 100);
    if (sample >= 10) text[at++] = 1 + (Math.floor(sample / 10) % 10);
    text[at++] = 1 + (sample % 10);
    text[at++] = space;
  }
  return text.subarray(0, Math.max(0, at - 1));
}

/** Runs of a byte enter a block whole, beyond its end too; the very last byte opens no block for itself. */
function endOfBlock(text: Uint8Array, start: number): number {
  let end = start + blockBytes;
  while (end < text.length && text[end] === text[end - 1]) end++;
  return end >= text.length - 1 ? text.length : end;
}

/**
 * The last column of the block's sorted rotations (Burrows, Wheeler, 1994). Begun at its least
 * rotation a block is a power of a Lyndon word, whose suffixes are in the order of its rotations.
 */
function lastColumn(block: Uint8Array): Uint8Array {
  const length = block.length;
  const first = leastRotation(block);
  const rotated = new Uint8Array(length);
  rotated.set(block.subarray(first));
  rotated.set(block.subarray(0, first), length - first);
  const order = suffixArrayOf(rotated, textAlphabet);
  const column = new Uint8Array(length);
  for (let i = 0; i < length; i++) column[i] = rotated[(order[i]! || length) - 1]!;
  return column;
}

/** Where the lexicographically least rotation begins: two candidates, of which one falls behind. */
function leastRotation(block: Uint8Array): number {
  const length = block.length;
  let a = 0;
  let b = 1;
  let same = 0;
  while (a < length && b < length && same < length) {
    const difference = block[(a + same) % length]! - block[(b + same) % length]!;
    if (difference === 0) {
      same++;
      continue;
    }
    if (difference > 0) a += same + 1;
    else b += same + 1;
    if (a === b) b++;
    same = 0;
  }
  return Math.min(a, b);
}
