import { igamc } from '../special/gamma.js';
import { bitsAt, type BitSequence } from './bit-sequence.js';

/** Counts of overlapping patterns of one length, the sequence closed to a ring: each start counts. */
interface PatternCounts {
  readonly length: number;
  readonly counts: Uint32Array;
}

/** The longest patterns counted so far, by sequence: shorter ones are sums of theirs. */
const longestCounts = new WeakMap<BitSequence, PatternCounts>();

/**
 * Has the patterns of `length` bits counted before shorter ones are asked for, so that the
 * sequence is passed through once.
 */
export function preparePatterns(sequence: BitSequence, length: number): void {
  const known = longestCounts.get(sequence);
  if (known !== undefined && known.length >= length) return;
  longestCounts.set(sequence, { length, counts: countPatterns(sequence, length) });
}

/** Counts of all patterns of `length` bits (1 to 16). */
function patternCounts(sequence: BitSequence, length: number): Uint32Array {
  preparePatterns(sequence, length);
  const longest = longestCounts.get(sequence)!;
  let { counts } = longest;
  for (let shorter = longest.length; shorter > length; shorter--) counts = halve(counts);
  return counts;
}

/** On a ring a pattern occurs as often as its two extensions together. */
function halve(counts: Uint32Array): Uint32Array {
  const half = new Uint32Array(counts.length / 2);
  for (let i = 0; i < half.length; i++) half[i] = counts[2 * i]! + counts[2 * i + 1]!;
  return half;
}

function countPatterns({ words, length }: BitSequence, pattern: number): Uint32Array {
  const counts = new Uint32Array(2 ** pattern);
  const mask = counts.length - 1;
  const inside = Math.max(0, length - pattern + 1);
  let at = 0;
  for (; at + 8 <= inside; at += 8) {
    const group = bitsAt(words, at, pattern + 7);
    counts[group >>> 7]! += 1;
    counts[(group >>> 6) & mask]! += 1;
    counts[(group >>> 5) & mask]! += 1;
    counts[(group >>> 4) & mask]! += 1;
    counts[(group >>> 3) & mask]! += 1;
    counts[(group >>> 2) & mask]! += 1;
    counts[(group >>> 1) & mask]! += 1;
    counts[group & mask]! += 1;
  }
  for (; at < length; at++) {
    let value = 0;
    for (let i = at; i < at + pattern; i++) value = (value << 1) | bitsAt(words, i % length, 1);
    counts[value]! += 1;
  }
  return counts;
}

/** SP 800-22 2.11, psi squared of patterns of `length` bits: their chi-square against equal shares. */
function psiSquare(sequence: BitSequence, length: number): number {
  if (length <= 0) return 0;
  let squares = 0;
  for (const count of patternCounts(sequence, length)) squares += count * count;
  return (squares * 2 ** length) / sequence.length - sequence.length;
}

/** SP 800-22 2.11: are all patterns of `length` bits equally frequent? First and second difference. */
export function serialTest(sequence: BitSequence, length: number): number[] {
  preparePatterns(sequence, length);
  const whole = psiSquare(sequence, length);
  const shorter = psiSquare(sequence, length - 1);
  const shortest = psiSquare(sequence, length - 2);
  return [
    igamc(2 ** (length - 2), (whole - shorter) / 2),
    igamc(2 ** (length - 3), (whole - 2 * shorter + shortest) / 2),
  ];
}

/** SP 800-22 2.12: do patterns of `length` bits foretell the next bit? */
export function approximateEntropyTest(sequence: BitSequence, length: number): number[] {
  preparePatterns(sequence, length + 1);
  const entropy = phi(sequence, length) - phi(sequence, length + 1);
  return [igamc(2 ** (length - 1), sequence.length * (Math.LN2 - entropy))];
}

/** Sum over patterns of share * ln(share). */
function phi(sequence: BitSequence, length: number): number {
  let sum = 0;
  for (const count of patternCounts(sequence, length)) {
    if (count > 0) sum += count * Math.log(count / sequence.length);
  }
  return sum / sequence.length;
}
