import { setTimeout as delay } from 'node:timers/promises';
import type { Subscription } from 'nats';
import { LOG_PAUSE_MS } from './log-stream.js';
import type { LogEntry, LogState } from './log-stream.js';
import type { NatsConnection } from './nats-connection.js';

/** How often a follower looks by itself: servers tell of new entries, but what they tell may be lost. */
const LOOK_MS = 1000;

interface Source {
  readonly after: number;
  readonly onEntry: (entry: LogEntry) => Promise<void>;
  readonly state: () => Promise<LogState>;
  readonly next: (place: number) => Promise<LogEntry | undefined>;
}

/**
 * A place in the log of JetStream. The server keeps nothing about it: entries are fetched by their sequence, one after
 * the other, so a lost connection, another leader or a stream that was made anew leave nothing to repair.
 */
export class NatsLogFollower {
  readonly #source: Source;
  readonly #stored: Subscription;
  readonly #forget: () => void;
  readonly #finished: Promise<void>;
  readonly #stopped = new AbortController();
  #looking = new AbortController();

  constructor(connection: NatsConnection, stored: string, source: Source) {
    this.#source = source;
    const look = (): void => this.#looking.abort();
    this.#stored = connection.core.subscribe(stored, { callback: look });
    this.#forget = connection.onReconnected(look);
    this.#finished = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#forget();
    this.#stored.unsubscribe();
    await this.#finished;
  }

  async #run(): Promise<void> {
    const { after, onEntry, state, next } = this.#source;
    const { signal: stopped } = this.#stopped;
    let place = after;
    let incarnation: string | undefined;
    while (!stopped.aborted) {
      this.#looking = new AbortController();
      try {
        const now = await state();
        if (now.last < place || (incarnation !== undefined && now.incarnation !== incarnation)) place = 0;
        incarnation = now.incarnation;
        while (place < now.last && !stopped.aborted) {
          const entry = await next(place);
          if (entry === undefined) break;
          if (stopped.aborted) return;
          await onEntry(entry);
          place = entry.sequence;
        }
      } catch {
        await pause(LOG_PAUSE_MS, stopped);
        continue;
      }
      await pause(LOOK_MS, AbortSignal.any([stopped, this.#looking.signal]));
    }
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}
