import { SymmetraError } from '@symmetra/crypto';

/** Draws `length` fresh random bytes, each handed out once. The array belongs to the caller. */
export type RandomBytes = (length: number) => Uint8Array;

/** Random bytes with an honest label of where they come from. */
export interface RandomSource {
  readonly name: string;
  /** Whether a physical process of known entropy is measured. */
  readonly physical: boolean;
  /** Whether that process is a quantum one. */
  readonly quantum: boolean;
  /** @throws RANDOM_LENGTH when the length is not an integer from 0 to 2^30. */
  readonly bytes: RandomBytes;
}

/** The random numbers of a node, and whether new keys may rest on them. */
export interface NodeRandomness {
  /** @throws RANDOM_LENGTH; ENTROPY_EXHAUSTED when the generator has reached its limits without fresh entropy. */
  readonly bytes: RandomBytes;
  /** @throws ENTROPY_EXHAUSTED when no good source is left: then no new key is made. */
  readonly requireEntropy: () => void;
}

const MAX_LENGTH = 2 ** 30;

/** @throws RANDOM_LENGTH */
export function checkRandomLength(length: number): void {
  if (Number.isInteger(length) && length >= 0 && length <= MAX_LENGTH) return;
  throw new SymmetraError('RANDOM_LENGTH', `${length} is not a number of random bytes that can be drawn`, {
    length,
  });
}
