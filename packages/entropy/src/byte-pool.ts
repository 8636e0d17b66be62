import { wipe } from '@symmetra/crypto';
import { checkRandomLength } from './source.js';
import type { RandomBytes } from './source.js';

/**
 * Cuts small draws from one large one. A byte leaves the pool once: it is copied out and zeroed
 * behind itself. Draws of more than a quarter of the pool bypass it.
 */
export class BytePool {
  readonly #fill: RandomBytes;
  readonly #capacity: number;
  #pool: Uint8Array = new Uint8Array(0);
  #offset = 0;

  /** @param fill the source of whole pools; the pool takes ownership of what it returns. */
  constructor(fill: RandomBytes, capacity: number) {
    this.#fill = fill;
    this.#capacity = capacity;
  }

  /** @throws RANDOM_LENGTH and whatever the source throws; then nothing was handed out. */
  draw(length: number): Uint8Array {
    checkRandomLength(length);
    if (length > this.#capacity / 4) return this.#fill(length);
    if (length > this.#pool.length - this.#offset) {
      const fresh = this.#fill(this.#capacity);
      this.discard();
      this.#pool = fresh;
    }
    const start = this.#offset;
    const end = start + length;
    // Not pool.slice: on a Buffer that would be a view.
    const drawn = Uint8Array.prototype.slice.call(this.#pool, start, end);
    this.#pool.fill(0, start, end);
    this.#offset = end;
    return drawn;
  }

  /** Zeroes and forgets what was not handed out. */
  discard(): void {
    wipe(this.#pool);
    this.#pool = new Uint8Array(0);
    this.#offset = 0;
  }
}
