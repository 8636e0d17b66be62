import { igamc } from '../special/gamma.js';
import { bitsAt, type BitSequence } from './bit-sequence.js';

/** Bits of a block. */
const blockLength = 500;

/** Blocks whose registers are found at once, one per bit of a word. */
const lanes = 32;

/** Bits of the counters below: they run from -500 to 500. */
const counterBits = 10;

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
  for (const complexity of linearComplexities(sequence, blocks)) {
    const deviation = complexity - mean + 2 / 9;
    counts[Math.min(Math.max(Math.ceil(deviation + 2.5), 0), 6)]! += 1;
  }
  let chiSquare = 0;
  for (const [i, probability] of probabilities.entries()) {
    chiSquare += (counts[i]! - blocks * probability) ** 2 / (blocks * probability);
  }
  return [igamc((probabilities.length - 1) / 2, chiSquare / 2)];
}

/** Linear complexity of each of the first `blocks` blocks of 500 bits. */
export function linearComplexities(sequence: BitSequence, blocks: number): Uint16Array {
  const complexities = new Uint16Array(blocks);
  const registers = new Registers();
  for (let first = 0; first < blocks; first += lanes) {
    const count = Math.min(lanes, blocks - first);
    registers.load(sequence.words, first, count);
    registers.run();
    for (let lane = 0; lane < count; lane++) complexities[first + lane] = registers.complexity(lane);
  }
  return complexities;
}

/**
 * Berlekamp and Massey's algorithm on 32 blocks in step: bit k of every word belongs to block k.
 *
 * Connection polynomial C, the former polynomial B times x^(N - m), and e = N - 2L per block, as
 * ten bits of a two's complement. A step with discrepancy d and e >= 0 lengthens the register:
 * L becomes N + 1 - L, so e becomes -(e + 1), which is the complement of e; otherwise e + 1.
 */
class Registers {
  /** One word more than a block: the last step looks at a discrepancy that nobody needs. */
  readonly #bits = new Int32Array(blockLength + 1);
  readonly #connection = new Int32Array(blockLength + 2);
  /** B runs down from the end: multiplying by x moves its start, not its words. */
  readonly #former = new Int32Array(2 * blockLength + 2);
  readonly #counter = new Int32Array(counterBits);

  /** Takes `count` blocks from number `first` on; lanes left over repeat the last. */
  load(words: Uint32Array, first: number, count: number): void {
    this.#bits.fill(0);
    for (let lane = 0; lane < lanes; lane++) {
      const from = (first + Math.min(lane, count - 1)) * blockLength;
      for (let at = 0; at < blockLength; at += 20) {
        const group = bitsAt(words, from + at, 20);
        for (let i = 0; i < 20; i++) this.#bits[at + i]! |= ((group >>> (19 - i)) & 1) << lane;
      }
    }
  }

  run(): void {
    const bits = this.#bits;
    const connection = this.#connection.fill(0);
    const former = this.#former.fill(0);
    const counter = this.#counter.fill(0);
    let start = blockLength;
    connection[0] = -1;
    former[start] = -1;
    start--;
    let difference = bits[0]!;
    for (let n = 0; n < blockLength; n++) {
      const lengthen = difference & ~counter[counterBits - 1]!;
      const degree = this.#degreeBound(n);
      let next = 0;
      for (let i = 0; i <= degree; i++) {
        const c = connection[i]!;
        const b = former[start + i]!;
        const updated = c ^ (b & difference);
        connection[i] = updated;
        former[start + i] = b ^ ((b ^ c) & lengthen);
        next ^= updated & bits[n + 1 - i]!;
      }
      difference = next;
      start--;
      let carry = ~lengthen;
      for (let bit = 0; bit < counterBits; bit++) {
        const flipped = counter[bit]! ^ lengthen;
        counter[bit] = flipped ^ carry;
        carry &= flipped;
      }
    }
  }

  complexity(lane: number): number {
    let e = 0;
    for (let bit = 0; bit < counterBits; bit++) e |= ((this.#counter[bit]! >>> lane) & 1) << bit;
    const signed = (e << (32 - counterBits)) >> (32 - counterBits);
    return (blockLength - signed) / 2;
  }

  /** No polynomial of any block has a higher degree before or after step n: max(L, n + 1 - L). */
  #degreeBound(n: number): number {
    const sign = this.#counter[counterBits - 1]!;
    let bit = counterBits - 2;
    while (bit >= 0 && (this.#counter[bit]! ^ sign) === 0) bit--;
    const widest = 2 ** (bit + 1);
    return Math.min(n + 1, (n + 1 + widest) >>> 1);
  }
}
