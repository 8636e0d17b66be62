import { igamc } from '../special/gamma.js';
import { linearComplexities } from './berlekamp-massey.js';
import type { BitSequence } from './bit-sequence.js';

/** Bits of a block. */
const blockLength = 500;

/**
 * STS 2.1.2's class probabilities. The first and the last stand for 1/96 and 1/48; both profiles
 * keep the program's figures, as the corrected program that `corrected` agrees with does. With
 * exact ones p moves by up to 0.01 in the middle of its range.
 */
const probabilities = [0.01047, 0.03125, 0.125, 0.5, 0.25, 0.0625, 0.020833] as const;

/** Mean linear complexity of 500 random bits (SP 800-22 2.10.4; the term in 2^-500 is 0 in a double). */
const mean = blockLength / 2 + (9 - 1) / 36;

/**
 * SP 800-22 2.10: do the shortest feedback registers of blocks of 500 bits have the lengths they
 * should? Not applicable below one block.
 */
export function linearComplexityTest(sequence: BitSequence): number[] {
  const blocks = Math.floor(sequence.length / blockLength);
  if (blocks === 0) return [];
  const counts = probabilities.map(() => 0);
  for (const complexity of linearComplexities(sequence, blockLength, blocks)) {
    const deviation = complexity - mean + 2 / 9;
    counts[Math.min(Math.max(Math.ceil(deviation + 2.5), 0), 6)]! += 1;
  }
  let chiSquare = 0;
  for (const [i, probability] of probabilities.entries()) {
    chiSquare += (counts[i]! - blocks * probability) ** 2 / (blocks * probability);
  }
  return [igamc((probabilities.length - 1) / 2, chiSquare / 2)];
}
