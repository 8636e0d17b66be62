import { SymmetraError } from '@symmetra/crypto';

/**
 * The leftover hash lemma: how many bits a universal hash, such as a Toeplitz matrix, may give so that they are within
 * `2^epsilonLog2` of uniform in statistical distance, even for who knows the seed: m <= n h - 2 log2(1/epsilon).
 * @param inputBits n.
 * @param minEntropyPerBit h, from 0 to 1.
 * @param epsilonLog2 below 0, such as -64.
 * @returns the largest whole m; 0 when the input does not have enough.
 * @throws EXTRACTOR_BAD_BOUND
 */
export function leftoverHashBits(inputBits: number, minEntropyPerBit: number, epsilonLog2: number): number {
  if (!(
    Number.isInteger(inputBits) &&
    inputBits > 0 &&
    minEntropyPerBit >= 0 &&
    minEntropyPerBit <= 1 &&
    epsilonLog2 < 0
  )) {
    throw new SymmetraError(
      'EXTRACTOR_BAD_BOUND',
      'the leftover hash lemma says nothing about these figures',
      {
        inputBits,
        minEntropyPerBit,
        epsilonLog2,
      },
    );
  }
  return Math.max(0, Math.floor(inputBits * minEntropyPerBit + 2 * epsilonLog2));
}
