/**
 * The changes of one run, one at a time: a change is under way until it is durable and has taken effect in memory. Who
 * ends a run has to wait for it: what is being written now would come true after the end.
 */
export class RunChanges {
  #underWay: Promise<unknown> | undefined;

  get isUnderWay(): boolean {
    return this.#underWay !== undefined;
  }

  /** Begins a change at once; none may be under way. */
  async begin<T>(change: () => Promise<T>): Promise<T> {
    const underWay = change();
    this.#underWay = underWay;
    try {
      return await underWay;
    } finally {
      this.#underWay = undefined;
    }
  }

  /** Begins a change as soon as none is under way, however the last one went. */
  async next<T>(change: () => Promise<T>): Promise<T> {
    while (this.#underWay !== undefined) await Promise.allSettled([this.#underWay]);
    return this.begin(change);
  }
}
