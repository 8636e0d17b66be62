import { wipe } from '@symmetra/crypto';

/** Extracted blocks that were released and wait for a taker, the oldest first; never more than there is room for. */
export class BlockPool {
  readonly #capacity: number;
  readonly #blocks: Uint8Array[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get length(): number {
    return this.#blocks.length;
  }

  /** How many more blocks it takes. */
  get room(): number {
    return this.#capacity - this.#blocks.length;
  }

  /** Takes over the blocks; the caller has seen to it that there is room. */
  add(blocks: readonly Uint8Array[]): void {
    this.#blocks.push(...blocks);
  }

  /** The oldest block, which is the taker's own from then on. */
  take(): Uint8Array | undefined {
    return this.#blocks.shift();
  }

  /** Zeroes and forgets all blocks. */
  wipe(): void {
    wipe(...this.#blocks);
    this.#blocks.length = 0;
  }
}
