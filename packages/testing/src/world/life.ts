/** Never settled. */
const FOR_EVER = new Promise<never>(() => {});

/** The life of one process. What it began ends with it, and nothing of it is heard of afterwards. */
export class Life {
  readonly #ends = new Set<() => void>();
  #over = false;

  /** Whether it goes on. */
  get lasts(): boolean {
    return !this.#over;
  }

  /** Has something done when the process dies. @returns what takes that back */
  onEnd(end: () => void): () => void {
    this.#ends.add(end);
    return () => this.#ends.delete(end);
  }

  /** The outcome of a promise, as long as the process lives; a dead one waits for ever. */
  async lasting<T>(promise: Promise<T>): Promise<T> {
    try {
      return await promise;
    } finally {
      if (this.#over) await FOR_EVER;
    }
  }

  /** The process is dead: nothing that it says from now on has an effect. */
  end(): void {
    if (this.#over) return;
    this.#over = true;
    for (const end of this.#ends) end();
    this.#ends.clear();
  }
}
