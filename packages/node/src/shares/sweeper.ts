import type { Clock, Logger, Timer } from '@symmetra/runtime';
import type { Row, Store } from '@symmetra/storage';

const EVERY_MS = 30_000;
const PAGE = 500;
/** Rows looked at in one table in one run: with the page, a bound on how long a run takes. */
const MAX_PAGES = 20;
/** In a table of long-lived rows, a page of which at least this part went is worth another one. */
const WORTHWHILE = 0.1;

/** One table of rows, some of which have to go in time. */
export interface SweptTable {
  /** Prefix of the rows' keys. */
  readonly prefix: string;
  /**
   * Whether its rows live for days and hold no secret. They are many, and reading one costs as much as storing it: a run
   * goes on only while it finds much that has to go.
   */
  readonly isLongLived: boolean;
  /** Judges a row: nothing when it stays, or the work of changing it. */
  visit(key: string, row: Row): Promise<unknown> | undefined;
}

export interface SweeperParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly store: Store;
  /** Whether this process sweeps the rows. */
  readonly isDue: () => boolean;
  readonly tables: readonly SweptTable[];
  /** Runs beside the tables each time: what is in memory only. */
  readonly also: () => void;
}

/** Removes what has expired: regularly, a bounded number of rows each time, going on where it stopped. */
export class Sweeper {
  readonly #parts: SweeperParts;
  /** By prefix: the last key that was visited. */
  readonly #cursors = new Map<string, string>();
  #timer: Timer | undefined;
  #running: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(parts: SweeperParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#timer = this.#parts.clock.setTimer(EVERY_MS, () => {
      this.#running = this.run().finally(() => {
        if (!this.#stopped) this.start();
      });
    });
  }

  /** Waits for the run that is under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#running;
  }

  /** One run. Never fails: what could not be removed now goes the next time. */
  async run(): Promise<void> {
    this.#parts.also();
    if (!this.#parts.isDue()) return;
    for (const table of this.#parts.tables) {
      try {
        await this.#sweep(table);
      } catch (error) {
        this.#parts.logger.warn({ err: error }, 'Expired rows could not be removed.');
      }
    }
  }

  async #sweep(table: SweptTable): Promise<void> {
    const { prefix, isLongLived } = table;
    for (let pages = 0; pages < MAX_PAGES && !this.#stopped; pages++) {
      const after = this.#cursors.get(prefix);
      const page = await this.#parts.store.scan(prefix, {
        limit: PAGE,
        ...(after !== undefined && { after }),
      });
      const went = await Promise.all(page.map(async ({ key, row }) => this.#visit(table, key, row)));
      const last = page.at(-1)?.key;
      if (last === undefined || page.length < PAGE) {
        this.#cursors.delete(prefix);
        return;
      }
      this.#cursors.set(prefix, last);
      if (isLongLived && went.filter(Boolean).length < WORTHWHILE * page.length) return;
    }
  }

  /** @returns whether the row had to go */
  async #visit(table: SweptTable, key: string, row: Row): Promise<boolean> {
    const change = table.visit(key, row);
    await change;
    return change !== undefined;
  }
}
