import { igamc } from '../special/gamma.js';
import { erfc } from '../special/normal.js';
import { countOnes, popcount, type BitSequence } from './bit-sequence.js';

/** SP 800-22 2.3: does the number of runs fit? 0 where the share of ones alone rules it out. */
export function runsTest(sequence: BitSequence): number[] {
  const { length, words } = sequence;
  const share = countOnes(sequence) / length;
  if (Math.abs(share - 0.5) > 2 / Math.sqrt(length)) return [0];
  const expected = 2 * length * share * (1 - share);
  const deviation = Math.abs(1 + countChanges(words, length) - expected);
  return [erfc(deviation / (2 * Math.sqrt(2 * length) * share * (1 - share)))];
}

/** Neighbouring bits that differ, among the first `length` bits. */
function countChanges(words: Uint32Array, length: number): number {
  let changes = 0;
  const last = (length - 1) >>> 5;
  for (let i = 0; i < last; i++) {
    changes += popcount(words[i]! ^ ((words[i]! << 1) | (words[i + 1]! >>> 31)));
  }
  const pairs = (length - 1) & 31;
  if (pairs > 0) changes += popcount((words[last]! ^ (words[last]! << 1)) & (-1 << (32 - pairs)));
  return changes;
}

/** Classes of the longest run of ones in a block: `lowest` or shorter, each length between, `highest` or longer. */
interface LongestRunClasses {
  readonly blockLength: number;
  readonly lowest: number;
  readonly highest: number;
  readonly probabilities: readonly number[];
}

/** SP 800-22 2.4 table: from this many bits on, blocks of this length with these classes. */
const longestRunSizes = [
  { from: 750_000, blockLength: 10_000, lowest: 10, highest: 16 },
  { from: 6272, blockLength: 128, lowest: 4, highest: 9 },
  { from: 128, blockLength: 8, lowest: 1, highest: 4 },
] as const;

/** STS 2.1.2's class probabilities by block length: for 10,000 bits they are off in the third digit. */
const programProbabilities: Readonly<Record<number, readonly number[]>> = {
  8: [0.21484375, 0.3671875, 0.23046875, 0.1875],
  128: [0.1174035788, 0.242955959, 0.249363483, 0.17517706, 0.102701071, 0.112398847],
  10_000: [0.0882, 0.2092, 0.2483, 0.1933, 0.1208, 0.0675, 0.0727],
};

const exactProbabilities = new Map<number, readonly number[]>();

/** The classes for a sequence of `length` bits, or `undefined` below 128 bits. */
function longestRunClasses(length: number, exact: boolean): LongestRunClasses | undefined {
  const size = longestRunSizes.find((one) => length >= one.from);
  if (size === undefined) return undefined;
  const { blockLength, lowest, highest } = size;
  if (!exact) return { ...size, probabilities: programProbabilities[blockLength]! };
  let probabilities = exactProbabilities.get(blockLength);
  if (probabilities === undefined) {
    probabilities = exactLongestRuns(blockLength, lowest, highest);
    exactProbabilities.set(blockLength, probabilities);
  }
  return { ...size, probabilities };
}

/** SP 800-22 2.4: are the longest runs of ones in blocks as long as they should be? */
export function longestRunTest(sequence: BitSequence, exact: boolean): number[] {
  const classes = longestRunClasses(sequence.length, exact);
  if (classes === undefined) return [];
  const { blockLength, lowest, highest, probabilities } = classes;
  const blocks = Math.floor(sequence.length / blockLength);
  const bytesPerBlock = blockLength / 8;
  const counts = probabilities.map(() => 0);
  for (let block = 0; block < blocks; block++) {
    const longest = longestRun(sequence.bytes, block * bytesPerBlock, (block + 1) * bytesPerBlock);
    counts[Math.min(Math.max(longest, lowest), highest) - lowest]! += 1;
  }
  let chiSquare = 0;
  for (const [i, probability] of probabilities.entries()) {
    chiSquare += (counts[i]! - blocks * probability) ** 2 / (blocks * probability);
  }
  return [igamc((probabilities.length - 1) / 2, chiSquare / 2)];
}

/** Per byte: ones at its front, ones at its end, and its longest run of ones. */
const runTables = (() => {
  const front = new Uint8Array(256);
  const end = new Uint8Array(256);
  const longest = new Uint8Array(256);
  for (let byte = 0; byte < 256; byte++) {
    const bits = byte.toString(2).padStart(8, '0');
    front[byte] = (/^1*/.exec(bits) ?? [''])[0].length;
    end[byte] = (/1*$/.exec(bits) ?? [''])[0].length;
    longest[byte] = Math.max(...bits.split('0').map((run) => run.length));
  }
  return { front, end, longest };
})();

function longestRun(bytes: Uint8Array, from: number, to: number): number {
  const { front, end, longest } = runTables;
  let best = 0;
  let run = 0;
  for (let i = from; i < to; i++) {
    const byte = bytes[i]!;
    if (byte === 0xff) {
      run += 8;
      continue;
    }
    run += front[byte]!;
    if (run > best) best = run;
    if (longest[byte]! > best) best = longest[byte]!;
    run = end[byte]!;
  }
  return Math.max(best, run);
}

/** Probabilities of the classes for fair bits. */
function exactLongestRuns(blockLength: number, lowest: number, highest: number): number[] {
  const upTo: number[] = [];
  for (let run = lowest; run < highest; run++) upTo.push(noLongerRun(blockLength, run));
  const inner = upTo.slice(1).map((value, i) => value - upTo[i]!);
  return [upTo[0]!, ...inner, 1 - upTo.at(-1)!];
}

/**
 * P(no run of ones is longer than `run`) in `length` fair bits. With q(n) that probability for n
 * bits: q(n) = 1 for n <= run; q(run + 1) = 1 - 2^-(run+1); then a first run of `run` + 1 ones that
 * ends at bit n follows a zero, so q(n) = q(n - 1) - 2^-(run+2) q(n - run - 2).
 */
function noLongerRun(length: number, run: number): number {
  const q = new Float64Array(length + 1).fill(1, 0, run + 1);
  q[run + 1] = 1 - 2 ** -(run + 1);
  const step = 2 ** -(run + 2);
  for (let n = run + 2; n <= length; n++) q[n] = q[n - 1]! - step * q[n - run - 2]!;
  return q[length]!;
}
