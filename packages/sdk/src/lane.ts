/** Runs asynchronous tasks one after the other, in the order in which they came. */
export class Lane {
  #last: Promise<unknown> = Promise.resolve();

  async run<T>(task: () => Promise<T>): Promise<T> {
    const outcome = this.#last.then(task, task);
    this.#last = outcome.catch(() => undefined);
    return outcome;
  }
}
