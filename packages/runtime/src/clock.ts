/** A timer that has not fired can be cancelled; doing it later or twice has no effect. */
export interface Timer {
  cancel(): void;
}

/** The one source of time, injected: nothing else reads the clock of the machine or sets timers. */
export interface Clock {
  /** Wall time, milliseconds since the epoch. It may jump; no decision about peers rests on it. */
  now(): number;
  /** Milliseconds that never go back; only differences count. */
  monotonic(): number;
  /** Calls `callback` once, not before `ms` milliseconds; any delay, however long. */
  setTimer(ms: number, callback: () => void): Timer;
}

/** Beyond this many milliseconds Node fires a timer at once. */
const LONGEST_TIMEOUT = 2 ** 31 - 1;

/** The clock of the machine. A pending timer keeps the process alive: who sets it cancels it. */
export const systemClock: Clock = Object.freeze({
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer(ms: number, callback: () => void): Timer {
    let remaining = Math.max(0, ms);
    let timeout: NodeJS.Timeout;
    const arm = (): void => {
      const step = Math.min(remaining, LONGEST_TIMEOUT);
      remaining -= step;
      timeout = setTimeout(remaining > 0 ? arm : callback, step);
    };
    arm();
    return { cancel: () => clearTimeout(timeout) };
  },
});
