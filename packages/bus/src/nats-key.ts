import { SymmetraError } from '@symmetra/crypto';
import { nkeys } from 'nats';

type KeyPair = ReturnType<typeof nkeys.createUser>;

/** A key by which a node proves to a NATS server who it is. */
export interface Nkey {
  /** Text, ASCII: secret. The caller wipes it. */
  readonly seed: Uint8Array;
  /** Text: stands in the configuration of the server. */
  readonly public: string;
}

/** Makes a user key: Ed25519, from the randomness of the operating system. */
export function createNkey(): Nkey {
  const pair = nkeys.createUser();
  return { seed: pair.getSeed(), public: pair.getPublicKey() };
}

/**
 * The pair of a seed; what is around it in a file, such as a line break, is left out. The pair has a copy of its own,
 * and is cleared by `clear()`.
 * @throws SymmetraError BAD_NKEY
 */
export function readNkey(seed: Uint8Array): KeyPair {
  const isText = (byte: number | undefined): boolean => byte !== undefined && byte > 0x20;
  let [start, end] = [0, seed.length];
  while (start < end && !isText(seed[start])) start += 1;
  while (start < end && !isText(seed[end - 1])) end -= 1;
  const copy = seed.slice(start, end);
  try {
    const pair = nkeys.fromSeed(copy);
    pair.getPublicKey();
    return pair;
  } catch {
    copy.fill(0);
    throw new SymmetraError('BAD_NKEY', 'the seed is not that of a NATS user key (it begins with SU)');
  }
}
