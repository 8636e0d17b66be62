import type { Clock, Timer } from '@symmetra/runtime';

/** A clock whose timers wait until they are let go, so that nothing runs beside what is measured. */
export class StillClock implements Clock {
  readonly #timers = new Set<{ readonly ms: number; readonly callback: () => void }>();

  now(): number {
    return Date.now();
  }

  monotonic(): number {
    return performance.now();
  }

  setTimer(ms: number, callback: () => void): Timer {
    const timer = { ms, callback };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  /** Fires the timers that were set for so long. */
  fire(ms: number): void {
    for (const timer of this.#timers) {
      if (timer.ms === ms && this.#timers.delete(timer)) timer.callback();
    }
  }
}
