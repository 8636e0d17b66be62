/** The part of the injected clock that sources use. */
export interface SourceClock {
  /** Milliseconds that never go back; only differences count. */
  monotonic(): number;
  /** Calls back once, not before `ms` milliseconds, unless it is cancelled before. */
  setTimer(ms: number, callback: () => void): SourceTimer;
}

/** Cancelling a timer that has fired has no effect. */
export interface SourceTimer {
  cancel(): void;
}

/** Waits `ms` milliseconds. Fails with the reason of `signal` when that is aborted before. */
export async function pause(clock: SourceClock, ms: number, signal: AbortSignal): Promise<void> {
  let timer: SourceTimer | undefined;
  const passed = new Promise<void>((resolve) => {
    timer = clock.setTimer(ms, resolve);
  });
  try {
    await unlessAborted(passed, signal);
  } finally {
    timer?.cancel();
  }
}

/**
 * What a promise gives, or the reason of `signal` as soon as that is aborted. The promise itself goes on; its later
 * failure is nobody's.
 */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop: (() => void) | undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => reject(signal.reason as Error);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    if (stop !== undefined) signal.removeEventListener('abort', stop);
    promise.catch(() => undefined);
  }
}
