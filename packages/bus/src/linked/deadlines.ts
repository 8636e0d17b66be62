import type { LinkClock } from './options.js';

interface Deadline {
  readonly due: number;
  readonly id: number;
}

/** How many entries that are over may stand beside each one that counts. */
const SLACK = 4;
const SMALL = 1024;

/** Ids with the times at which they are due, under one timer of the clock: the earliest is always at the root of a heap. */
export class Deadlines {
  readonly #clock: LinkClock;
  readonly #counts: (id: number) => boolean;
  readonly #onDue: (id: number) => void;
  #heap: Deadline[] = [];
  #timer: { due: number; cancel(): void } | undefined;

  /** @param counts whether an id still waits: nobody has to take one out that is over */
  constructor(clock: LinkClock, counts: (id: number) => boolean, onDue: (id: number) => void) {
    this.#clock = clock;
    this.#counts = counts;
    this.#onDue = onDue;
  }

  /** @param waiting how many ids still wait, with this one */
  add(id: number, due: number, waiting: number): void {
    if (this.#heap.length > SMALL && this.#heap.length > SLACK * waiting) this.#compact();
    this.#heap.push({ due, id });
    this.#rise(this.#heap.length - 1);
    this.#arm();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#heap = [];
  }

  #fire(): void {
    this.#timer = undefined;
    const now = this.#clock.monotonic();
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      const waits = this.#counts(first.id);
      if (waits && first.due > now) break;
      this.#takeFirst();
      if (waits) this.#onDue(first.id);
    }
    this.#arm();
  }

  #arm(): void {
    const first = this.#heap[0];
    if (first === undefined || (this.#timer !== undefined && this.#timer.due <= first.due)) return;
    this.#timer?.cancel();
    // Rounded up: a clock that counts in fractions would fire a little before it is due, again and again.
    const ms = Math.ceil(Math.max(0, first.due - this.#clock.monotonic()));
    const timer = this.#clock.setTimer(ms, () => this.#fire());
    this.#timer = { due: first.due, cancel: () => timer.cancel() };
  }

  #takeFirst(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#sink(0);
  }

  #compact(): void {
    this.#heap = this.#heap.filter(({ id }) => this.#counts(id));
    for (let at = Math.floor(this.#heap.length / 2); at >= 0; at--) this.#sink(at);
  }

  #rise(from: number): void {
    const heap = this.#heap;
    const item = heap[from] as Deadline;
    let at = from;
    while (at > 0) {
      const up = (at - 1) >> 1;
      const parent = heap[up] as Deadline;
      if (parent.due <= item.due) break;
      heap[at] = parent;
      at = up;
    }
    heap[at] = item;
  }

  #sink(from: number): void {
    const heap = this.#heap;
    const item = heap[from];
    if (item === undefined) return;
    let at = from;
    for (;;) {
      let down = 2 * at + 1;
      const left = heap[down];
      if (left === undefined) break;
      const right = heap[down + 1];
      if (right !== undefined && right.due < left.due) down += 1;
      const child = heap[down] as Deadline;
      if (item.due <= child.due) break;
      heap[at] = child;
      at = down;
    }
    heap[at] = item;
  }
}
