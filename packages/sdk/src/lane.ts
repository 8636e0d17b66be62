/** Runs asynchronous tasks one after the other, in the order in which they came. */
export class Lane {
  #last: Promise<unknown> = Promise.resolve();
  #tasks = 0;

  /** Whether nothing runs or waits. */
  get isIdle(): boolean {
    return this.#tasks === 0;
  }

  async run<T>(task: () => Promise<T>): Promise<T> {
    this.#tasks += 1;
    const outcome = this.#last.then(task, task).finally(() => {
      this.#tasks -= 1;
    });
    this.#last = outcome.catch(() => undefined);
    return outcome;
  }
}
