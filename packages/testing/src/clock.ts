import type { Clock, Timer } from '@symmetra/runtime';

interface PendingTimer {
  readonly due: number;
  readonly callback: () => void;
}

/**
 * A clock that stands still until a test advances it. Wall and monotonic time advance together;
 * {@link ManualClock.skew} sets the wall alone, as an administrator or a bad battery does.
 */
export class ManualClock implements Clock {
  #wall: number;
  #elapsed = 0;
  #timers: readonly PendingTimer[] = [];

  /** @param now wall time at the start, milliseconds since the epoch. */
  constructor(now: number = Date.UTC(2030, 0, 1)) {
    this.#wall = now;
  }

  now(): number {
    return this.#wall;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  setTimer(ms: number, callback: () => void): Timer {
    const timer = { due: this.#elapsed + Math.max(0, ms), callback };
    this.#timers = [...this.#timers, timer];
    return { cancel: () => this.#remove(timer) };
  }

  /** Timers that were set and neither fired nor were cancelled. */
  get pendingTimers(): number {
    return this.#timers.length;
  }

  /** Lets `ms` milliseconds pass: timers fire in the order of their times, each at its own time. */
  advance(ms: number): void {
    const end = this.#elapsed + ms;
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#passTo(next.due);
      this.#remove(next);
      next.callback();
    }
    this.#passTo(end);
  }

  /** Moves the wall time by `ms`, forward or back; no timer notices. */
  skew(ms: number): void {
    this.#wall += ms;
  }

  /** The earliest timer that is due by `end`; of several for one time, the one set first. */
  #next(end: number): PendingTimer | undefined {
    return this.#timers
      .filter(({ due }) => due <= end)
      .reduce<PendingTimer | undefined>(
        (first, timer) => (first && first.due <= timer.due ? first : timer),
        undefined,
      );
  }

  #passTo(elapsed: number): void {
    this.#wall += elapsed - this.#elapsed;
    this.#elapsed = elapsed;
  }

  #remove(timer: PendingTimer): void {
    this.#timers = this.#timers.filter((other) => other !== timer);
  }
}
