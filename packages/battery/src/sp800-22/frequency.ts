import { igamc } from '../special/gamma.js';
import { erfc } from '../special/normal.js';
import { countOnes, popcount, type BitSequence } from './bit-sequence.js';

/** SP 800-22 2.1: is the share of ones near one half? */
export function frequencyTest(sequence: BitSequence): number[] {
  const sum = 2 * countOnes(sequence) - sequence.length;
  return [erfc(Math.abs(sum) / Math.sqrt(2 * sequence.length))];
}

/**
 * SP 800-22 2.2: is the share of ones near one half in every block of `blockLength` bits?
 * `blockLength` is a multiple of 32. Not applicable to less than one block.
 */
export function blockFrequencyTest(sequence: BitSequence, blockLength: number): number[] {
  const blocks = Math.floor(sequence.length / blockLength);
  if (blocks === 0) return [];
  const words = blockLength / 32;
  let sum = 0;
  for (let block = 0, at = 0; block < blocks; block++) {
    let ones = 0;
    for (const end = at + words; at < end; at++) ones += popcount(sequence.words[at]!);
    const excess = ones - blockLength / 2;
    sum += excess * excess;
  }
  return [igamc(blocks / 2, (2 * sum) / blockLength)];
}
