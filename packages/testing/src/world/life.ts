/** Never settled. */
const FOR_EVER = new Promise<never>(() => {});

/** A process that was stopped, and what came for it meanwhile. */
interface Sleep {
  readonly waiting: (() => void)[];
  readonly over: Promise<void>;
  readonly wake: () => void;
}

/**
 * The life of one process. What it began ends with it, and nothing of it is heard of afterwards. It may be stopped for a
 * while, as SIGSTOP does: what comes for it waits until it goes on.
 */
export class Life {
  readonly #ends = new Set<() => void>();
  #over = false;
  #sleep: Sleep | undefined;

  /** Whether it goes on. */
  get lasts(): boolean {
    return !this.#over;
  }

  /** Whether it is stopped now. */
  get sleeps(): boolean {
    return this.#sleep !== undefined;
  }

  /** Has something done when the process dies. @returns what takes that back */
  onEnd(end: () => void): () => void {
    this.#ends.add(end);
    return () => this.#ends.delete(end);
  }

  /** Something comes for the process from outside: it happens now, when it goes on again, or never. */
  reach(happen: () => void): void {
    if (this.#over) return;
    if (this.#sleep === undefined) happen();
    else this.#sleep.waiting.push(happen);
  }

  /** The outcome of a promise, as long as the process lives; a dead one waits for ever. */
  async lasting<T>(promise: Promise<T>): Promise<T> {
    try {
      return await promise;
    } finally {
      while (this.#sleep !== undefined) await this.#sleep.over;
      if (this.#over) await FOR_EVER;
    }
  }

  /** The process is stopped. */
  sleep(): void {
    if (this.#over || this.#sleep !== undefined) return;
    let wake = (): void => undefined;
    const over = new Promise<void>((resolve) => {
      wake = resolve;
    });
    this.#sleep = { waiting: [], over, wake };
  }

  /** The process goes on. What came meanwhile comes now, in its order. */
  wake(): void {
    const sleep = this.#sleep;
    this.#sleep = undefined;
    sleep?.wake();
    for (const happen of sleep?.waiting ?? []) this.reach(happen);
  }

  /** The process is dead: nothing that it says from now on has an effect. */
  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#sleep?.wake();
    this.#sleep = undefined;
    for (const end of this.#ends) end();
    this.#ends.clear();
  }
}
