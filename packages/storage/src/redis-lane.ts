import { setImmediate as nextTurn } from 'node:timers/promises';

/** What waits in a lane. */
export interface Waiting<Result> {
  /** Counted against the size of a batch. */
  readonly bytes: number;
  /** Until when there must be a result, in the time of `performance.now()`. */
  readonly deadline: number;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/** Bounds of a batch. */
export interface LaneLimits {
  readonly items: number;
  readonly bytes: number;
}

/**
 * Sends what is asked for in batches: one at a time, each with everything that came up in one turn of
 * the event loop and while the batch before was under way, in order.
 */
export class Lane<Item extends Waiting<never>> {
  readonly #limits: LaneLimits;
  readonly #send: (batch: readonly Item[]) => Promise<void>;
  #queue: Item[] = [];
  #running: Promise<void> | undefined;

  /** @param send settles every item of the batch, or rejects, and then all of them are rejected. */
  constructor(limits: LaneLimits, send: (batch: readonly Item[]) => Promise<void>) {
    this.#limits = limits;
    this.#send = send;
  }

  push(item: Item): void {
    this.#queue.push(item);
    this.#running ??= this.#run();
  }

  /** Fulfilled when nothing is waiting any more. */
  async drained(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) {
      await nextTurn();
      const batch = this.#take();
      try {
        await this.#send(batch);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#running = undefined;
  }

  #take(): readonly Item[] {
    let count = 0;
    let bytes = 0;
    for (const item of this.#queue) {
      bytes += item.bytes;
      if (count > 0 && (count === this.#limits.items || bytes > this.#limits.bytes)) break;
      count += 1;
    }
    if (count < this.#queue.length) return this.#queue.splice(0, count);
    const all = this.#queue;
    this.#queue = [];
    return all;
  }
}
