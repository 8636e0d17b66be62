import type { InProcessLog, LogEntry, LogState, LogStream } from '@symmetra/bus';
import { SymmetraError } from '@symmetra/crypto';
import type { Prng } from '../prng.js';
import type { Life } from './life.js';
import type { Timeline } from './timeline.js';

/** What befalls the way to the ordered log, for those who count. */
export const LOG_EVENTS = ['unreachable', 'append-unanswered'] as const;
type LogEvent = (typeof LOG_EVENTS)[number];

/** How far the ordered log of a world is for one node. */
export interface LogWeather {
  /** Longest way of a message, milliseconds; the shortest is one. */
  slowest: number;
  /** How probable it is that a request or its answer is lost. */
  loss: number;
  /** The node does not reach the log at all. */
  away: boolean;
}

/** What a place needs of its world. */
export interface LogPlaceOptions {
  readonly log: InProcessLog;
  readonly life: Life;
  readonly timeline: Timeline;
  readonly prng: Prng;
  readonly weather: LogWeather;
  readonly note: (event: LogEvent) => void;
}

const TIMEOUT_MS = 2000;
const PATIENCE_MS = 500;

/** The ordered log as one process of a node reaches it: slowly, with losses, or not at all. */
export class LogPlace implements LogStream {
  readonly #options: LogPlaceOptions;
  readonly #inner: LogStream;

  constructor(options: LogPlaceOptions) {
    this.#options = options;
    this.#inner = options.log.join();
    options.life.onEnd(() => void this.#inner.close());
  }

  async append(data: Uint8Array, last: number): Promise<number> {
    const bytes = data.slice();
    await this.#reach();
    const outcome = this.#inner.append(bytes, last);
    const { prng, weather, note } = this.#options;
    if (prng.chance(weather.loss)) {
      await outcome.catch(() => undefined);
      note('append-unanswered');
      await this.#unavailable();
    }
    return this.#alive(outcome);
  }

  async state(): Promise<LogState> {
    await this.#reach();
    return this.#alive(this.#inner.state());
  }

  async next(after: number): Promise<LogEntry | undefined> {
    await this.#reach();
    return this.#alive(this.#inner.next(after));
  }

  follow(after: number, onEntry: (entry: LogEntry) => Promise<void>): () => Promise<void> {
    const { weather } = this.#options;
    return this.#inner.follow(after, async (entry) => {
      await this.#wait(this.#way());
      while (weather.away) await this.#wait(PATIENCE_MS);
      await onEntry(entry);
    });
  }

  async close(): Promise<void> {
    await this.#inner.close();
  }

  /** @throws LOG_UNAVAILABLE */
  async #reach(): Promise<void> {
    const { prng, weather } = this.#options;
    await this.#wait(this.#way());
    if (weather.away || prng.chance(weather.loss)) {
      this.#options.note('unreachable');
      await this.#unavailable();
    }
  }

  async #unavailable(): Promise<never> {
    await this.#wait(TIMEOUT_MS);
    throw new SymmetraError('LOG_UNAVAILABLE', 'the ordered log does not answer');
  }

  async #alive<T>(outcome: Promise<T>): Promise<T> {
    const value = await this.#options.life.lasting(outcome);
    await this.#wait(this.#way());
    return value;
  }

  async #wait(ms: number): Promise<void> {
    const { life, timeline } = this.#options;
    await life.lasting(
      new Promise<void>((resolve) => {
        timeline.after(ms, resolve);
      }),
    );
  }

  #way(): number {
    return this.#options.prng.between(1, this.#options.weather.slowest);
  }
}
