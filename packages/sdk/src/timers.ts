import { SymmetraError } from '@symmetra/crypto';
import type { Clock, Timer } from '@symmetra/runtime';

/** The timers of one device: all of them end with it. */
export class Timers {
  readonly #clock: Clock;
  readonly #pending = new Set<Timer>();
  readonly #sleepers = new Set<() => void>();
  #closed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Milliseconds that never go back. */
  monotonic(): number {
    return this.#clock.monotonic();
  }

  /** Calls back once, unless it is cancelled or the device is closed before. */
  set(ms: number, callback: () => void): Timer {
    if (this.#closed) return { cancel: () => undefined };
    const timer = this.#clock.setTimer(ms, () => {
      this.#pending.delete(own);
      callback();
    });
    const own: Timer = {
      cancel: () => {
        this.#pending.delete(own);
        timer.cancel();
      },
    };
    this.#pending.add(own);
    return own;
  }

  /** Waits. @throws DEVICE_CLOSED when the device is closed before the time is over */
  async sleep(ms: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const fail = (): void => reject(deviceClosed());
      if (this.#closed) {
        fail();
        return;
      }
      this.#sleepers.add(fail);
      this.set(ms, () => {
        this.#sleepers.delete(fail);
        resolve();
      });
    });
  }

  /** The outcome of a promise, or the error when it takes longer. */
  async within<T>(ms: number, promise: Promise<T>, late: () => SymmetraError): Promise<T> {
    let timer: Timer | undefined;
    const deadline = new Promise<never>((_, reject) => {
      timer = this.set(ms, () => reject(late()));
    });
    try {
      return await Promise.race([promise, deadline]);
    } finally {
      timer?.cancel();
    }
  }

  /** Cancels everything; nothing is called back any more. */
  close(): void {
    this.#closed = true;
    for (const timer of this.#pending) timer.cancel();
    for (const fail of this.#sleepers) fail();
    this.#sleepers.clear();
  }
}

/** The error of whatever a closed device is asked. */
export function deviceClosed(): SymmetraError {
  return new SymmetraError('DEVICE_CLOSED', 'the device was closed');
}
