import { statfs } from 'node:fs/promises';
import { SymmetraError } from '@symmetra/crypto';

const PAGE_BYTES = 4096;
/** LMDB writes changed pages anew: for each row its leaf and one above, and a few for each transaction. */
const PAGES_PER_ROW = 2;
const PAGES_PER_COMMIT = 16;
/** Others write to the same disk: after so many bytes of ours it is asked again how much is free. */
const MAX_TRUSTED_BYTES = 2 ** 24;

/** Free bytes of the file system under `dir`; infinitely many when it does not say. */
export async function freeBytes(dir: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(dir);
    return bavail * bsize;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/**
 * The room that is left for a store. LMDB may end the process when the disk refuses its writes again and again, so a
 * write that might not fit is refused before LMDB sees it. The disk is asked only when the room known of is used up.
 */
export class Room {
  readonly #dir: string;
  #trusted = 0;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /**
   * Sets room aside for one transaction.
   * @param bytes of all keys and values
   * @throws STORE_FULL
   */
  async take(rows: number, bytes: number): Promise<void> {
    const needed = bytes + (rows * PAGES_PER_ROW + PAGES_PER_COMMIT) * PAGE_BYTES;
    if (needed > this.#trusted) {
      const free = await freeBytes(this.#dir);
      if (needed > free) throw storeFull();
      // Half of a small rest: the estimate may be exceeded now and then.
      this.#trusted = Math.max(needed, Math.min(free / 2, MAX_TRUSTED_BYTES));
    }
    this.#trusted -= needed;
  }

  /** What was known does not hold: a write failed. */
  forget(): void {
    this.#trusted = 0;
  }
}

/** The disk is full. */
export function storeFull(cause?: unknown): SymmetraError {
  return new SymmetraError('STORE_FULL', 'there is no room left for the store', {}, { cause });
}
