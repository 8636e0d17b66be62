import type { Clock, Timer } from '@symmetra/runtime';

/** Timers by name; one that is set again replaces the one before. */
export class GroupTimers {
  readonly #clock: Pick<Clock, 'setTimer'>;
  readonly #timers = new Map<string, Timer>();
  #stopped = false;

  constructor(clock: Pick<Clock, 'setTimer'>) {
    this.#clock = clock;
  }

  set(name: string, ms: number, callback: () => void): void {
    this.cancel(name);
    if (this.#stopped) return;
    const timer = this.#clock.setTimer(ms, () => {
      this.#timers.delete(name);
      callback();
    });
    this.#timers.set(name, timer);
  }

  cancel(name: string): void {
    this.#timers.get(name)?.cancel();
    this.#timers.delete(name);
  }

  /** Cancels all. */
  clear(): void {
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }

  /** Cancels all, and takes no more. */
  stop(): void {
    this.#stopped = true;
    this.clear();
  }
}
