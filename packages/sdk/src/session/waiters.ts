import type { SymmetraError } from '@symmetra/crypto';

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: SymmetraError) => void;
}

/** Those who wait for one thing to happen. */
export class Waiters {
  readonly #all = new Set<Waiter>();

  async wait(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#all.add({ resolve, reject });
    });
  }

  /** It has happened. */
  release(): void {
    for (const { resolve } of this.#take()) resolve();
  }

  /** It will not happen soon. */
  fail(error: SymmetraError): void {
    for (const { reject } of this.#take()) reject(error);
  }

  #take(): readonly Waiter[] {
    const all = [...this.#all];
    this.#all.clear();
    return all;
  }
}
