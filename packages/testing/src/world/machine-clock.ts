import type { Clock, Timer } from '@symmetra/runtime';
import type { Life } from './life.js';
import type { Timeline } from './timeline.js';

/** When simulated worlds begin, milliseconds since the epoch. */
export const WORLD_BEGINNING_MS = Date.UTC(2030, 0, 1);

/** The wall clock of a machine: it may be wrong, and it may jump. It stays with the machine when processes die. */
export class MachineClock {
  readonly #timeline: Timeline;
  #offMs = 0;

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  /** Milliseconds by which it is wrong. */
  get offMs(): number {
    return this.#offMs;
  }

  set offMs(ms: number) {
    this.#offMs = ms;
  }

  /** The clock as one process sees it; its timers die with it. They count whole milliseconds, as those of Node do. */
  of(life: Life): Clock {
    const timeline = this.#timeline;
    const started = timeline.now;
    return {
      now: () => WORLD_BEGINNING_MS + timeline.now + this.#offMs,
      monotonic: () => timeline.now - started,
      setTimer: (ms, callback): Timer => {
        let isSet = true;
        const forget = timeline.after(Math.max(1, Math.ceil(ms)), () => {
          life.reach(() => {
            if (isSet) callback();
          });
        });
        return {
          cancel: () => {
            isSet = false;
            forget();
          },
        };
      },
    };
  }
}
