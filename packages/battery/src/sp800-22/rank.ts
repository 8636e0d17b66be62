import type { BitSequence } from './bit-sequence.js';

const size = 32;

/** P(rank of a random 32x32 matrix over GF(2) is `rank`): SP 800-22 3.5. */
function probabilityOfRank(rank: number): number {
  let product = 2 ** (rank * (2 * size - rank) - size * size);
  for (let i = 0; i < rank; i++) product *= (1 - 2 ** (i - size)) ** 2 / (1 - 2 ** (i - rank));
  return product;
}

const full = probabilityOfRank(size);
const oneLess = probabilityOfRank(size - 1);
const probabilities = [full, oneLess, 1 - full - oneLess] as const;

/** SP 800-22 2.5: do 32x32 matrices of the bits have the ranks they should? Not applicable below one matrix. */
export function rankTest(sequence: BitSequence): number[] {
  const matrices = Math.floor(sequence.length / (size * size));
  if (matrices === 0) return [];
  const counts = [0, 0, 0];
  const basis = new Int32Array(size);
  for (let matrix = 0; matrix < matrices; matrix++) {
    const rank = rankOf(sequence.words, matrix * size, basis);
    counts[Math.min(size - rank, 2)]! += 1;
  }
  let chiSquare = 0;
  for (const [i, probability] of probabilities.entries()) {
    chiSquare += (counts[i]! - matrices * probability) ** 2 / (matrices * probability);
  }
  return [Math.exp(-chiSquare / 2)];
}

/** Rank of the 32 rows from `from`: each row is reduced by the basis vectors, one per leading bit. */
function rankOf(words: Uint32Array, from: number, basis: Int32Array): number {
  basis.fill(0);
  let rank = 0;
  for (let i = from; i < from + size; i++) {
    let row = words[i]! | 0;
    while (row !== 0) {
      const lead = Math.clz32(row);
      const vector = basis[lead]!;
      if (vector === 0) {
        basis[lead] = row;
        rank++;
        break;
      }
      row ^= vector;
    }
  }
  return rank;
}
