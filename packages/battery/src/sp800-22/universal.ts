import { erfc } from '../special/normal.js';
import { bitsAt, type BitSequence } from './bit-sequence.js';

/** By block length L from 6 to 16: the mean and the variance of the statistic (SP 800-22 2.9.4). */
const moments: readonly (readonly [mean: number, variance: number])[] = [
  [5.2177052, 2.954],
  [6.1962507, 3.125],
  [7.1836656, 3.238],
  [8.1764248, 3.311],
  [9.1723243, 3.356],
  [10.170032, 3.384],
  [11.168765, 3.401],
  [12.16807, 3.41],
  [13.167693, 3.416],
  [14.167488, 3.419],
  [15.167379, 3.421],
];

const shortestBlock = 6;
const longestBlock = 16;

/** log2 of the distances that nearly all repetitions have. */
const logarithms = Float64Array.from({ length: 2048 }, (_, distance) => Math.log2(distance));

/** Bits that blocks of `block` bits need: 10 * 2^L blocks to fill the table, 1000 * 2^L to test. */
function bitsNeeded(block: number): number {
  return 1010 * 2 ** block * block;
}

/**
 * SP 800-22 2.9, Maurer's test: how far apart do equal blocks lie? Not applicable below 387,840
 * bits. STS tests all blocks after the first 10 * 2^L; `exact` tests the 1000 * 2^L that the
 * document prescribes.
 */
export function universalTest(sequence: BitSequence, exact: boolean): number[] {
  const { length, words } = sequence;
  if (length < bitsNeeded(shortestBlock)) return [];
  let block = shortestBlock;
  while (block < longestBlock && length >= bitsNeeded(block + 1)) block++;
  const first = 10 * 2 ** block;
  const tested = exact ? 1000 * 2 ** block : Math.floor(length / block) - first;
  const last = new Uint32Array(2 ** block);
  for (let i = 1; i <= first; i++) last[bitsAt(words, (i - 1) * block, block)] = i;
  let sum = 0;
  for (let i = first + 1; i <= first + tested; i++) {
    const value = bitsAt(words, (i - 1) * block, block);
    const distance = i - last[value]!;
    sum += distance < logarithms.length ? logarithms[distance]! : Math.log2(distance);
    last[value] = i;
  }
  const [mean, variance] = moments[block - shortestBlock]!;
  const correction = 0.7 - 0.8 / block + ((4 + 32 / block) * tested ** (-3 / block)) / 15;
  const deviation = correction * Math.sqrt(variance / tested);
  return [erfc(Math.abs(sum / tested - mean) / (Math.SQRT2 * deviation))];
}
