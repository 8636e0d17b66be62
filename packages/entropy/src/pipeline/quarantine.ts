import { wipe } from '@symmetra/crypto';

/**
 * Windows that passed and wait until enough later ones have passed, too: a fault that a test finds late is found while
 * what it spoilt is still here.
 */
export class Quarantine {
  /** How many later windows have to pass. */
  readonly depth: number;
  /** The blocks of each window, the oldest first. */
  #windows: (readonly Uint8Array[])[] = [];

  constructor(depth: number) {
    this.depth = depth;
  }

  /** How many windows are in it. */
  get length(): number {
    return this.#windows.length;
  }

  /** The blocks of the oldest window, when enough later ones have passed. */
  get released(): readonly Uint8Array[] | undefined {
    return this.#windows.length > this.depth ? this.#windows[0] : undefined;
  }

  /** Takes in a window that passed; it has no blocks when its samples were set aside. */
  add(blocks: readonly Uint8Array[]): void {
    this.#windows.push(blocks);
  }

  /** The oldest window has left: its blocks belong to somebody else now. */
  removeOldest(): void {
    this.#windows.shift();
  }

  /** Zeroes and forgets everything. @returns how many windows that were. */
  discard(): number {
    const discarded = this.#windows.length;
    for (const blocks of this.#windows) wipe(...blocks);
    this.#windows = [];
    return discarded;
  }
}
