import { SymmetraError, equalConstantTime } from '@symmetra/crypto';
import { decodeEvent, decodeState, encodeState, eventHash } from '@symmetra/protocol';
import type { LogHead, SignedEvent } from '@symmetra/protocol';
import type { Change, ScannedRow, Store } from '@symmetra/storage';
import {
  FORK_ROWS,
  LOG_BASE_ROW,
  LOG_ROWS,
  SNAPSHOT_ROWS,
  forkRow,
  lastPart,
  logRow,
  snapshotRow,
} from '../rows/row-keys.js';
import type { ControlState } from './control-state.js';

const PAGE = 256;

/**
 * The control log as it stands in the store (CTL-3). One that began with a snapshot has the snapshot's events apart, until
 * the history before it is complete (CTL-9).
 */
export class LogRows {
  readonly #store: Store;
  #base: LogHead | undefined;
  #first = 1;

  constructor(store: Store) {
    this.#store = store;
  }

  /**
   * Brings the state up to the newest stored event.
   * @throws LOG_BROKEN when the stored events are not one chain
   */
  async replay(state: ControlState): Promise<void> {
    await this.#replaySnapshot(state);
    for (;;) {
      const page = await this.#scan(LOG_ROWS, logRow(state.head.number));
      for (const { row } of page) {
        const signed = decodeState<SignedEvent>(row.value);
        const event = decodeEvent(signed.event);
        const follows =
          event.number === state.head.number + 1 && equalConstantTime(event.previousHash, state.head.hash);
        if (!follows) {
          throw new SymmetraError('LOG_BROKEN', 'the stored control log is not one chain', {
            number: event.number,
          });
        }
        state.advance(event, { number: event.number, hash: eventHash(signed.event) });
      }
      if (page.length < PAGE) break;
    }
    const forks = await this.#store.scan(FORK_ROWS, { limit: 1 });
    if (forks.length > 0) state.halt();
  }

  /** Number of the oldest event from which on none is missing. */
  get first(): number {
    return this.#first;
  }

  /** The head of the snapshot that the log began with, while the history before it is not complete. */
  get base(): LogHead | undefined {
    return this.#base;
  }

  /** One event, as far as it is there. */
  async event(number: number): Promise<SignedEvent | undefined> {
    const isApart = this.#base !== undefined && number < this.#first;
    const row = await this.#store.get(isApart ? snapshotRow(number) : logRow(number));
    return row && decodeState<SignedEvent>(row.value);
  }

  /** Events from a number on, without gaps, at most `limit`. @throws LOG_PRUNED when the first of them is not there yet */
  async range(from: number, limit: number): Promise<readonly SignedEvent[]> {
    if (from < this.#first) {
      const details = { first: this.#first };
      throw new SymmetraError('LOG_PRUNED', 'the node has not got this part of the control log', details);
    }
    const rows = await this.#scan(LOG_ROWS, logRow(from - 1), limit);
    return rows.map(({ row }) => decodeState<SignedEvent>(row.value));
  }

  /** The row of the next event; whoever wrote that number first wins. */
  append(number: number, signed: SignedEvent): Change {
    return { key: logRow(number), value: encodeState(signed), expect: 0 };
  }

  /** The row of an event of a snapshot. It means nothing before {@link LogRows.begin}. */
  apart(number: number, signed: SignedEvent): Change {
    return { key: snapshotRow(number), value: encodeState(signed) };
  }

  /** The events that were stored apart are the log up to this head. */
  async begin(base: LogHead): Promise<void> {
    await this.#store.commit([{ key: LOG_BASE_ROW, value: encodeState(base) }]);
    this.#base = base;
    this.#first = base.number + 1;
  }

  /** Puts history before the oldest event: what ends right before it, in order. */
  async prepend(events: readonly SignedEvent[]): Promise<void> {
    const from = this.#first - events.length;
    await this.#store.commit(
      events.map((signed, i) => ({ key: logRow(from + i), value: encodeState(signed) })),
    );
    this.#first = from;
    if (from > 1) return;
    await this.#store.commit([{ key: LOG_BASE_ROW, value: null }]);
    this.#base = undefined;
    await this.#dropSnapshot();
  }

  /** Keeps the second event of a number as evidence; the node stays halted over restarts. */
  async keepFork(number: number, signed: SignedEvent): Promise<void> {
    await this.#store.commit([{ key: forkRow(number), value: encodeState(signed) }]);
  }

  async #replaySnapshot(state: ControlState): Promise<void> {
    const row = await this.#store.get(LOG_BASE_ROW);
    if (row === undefined) return this.#dropSnapshot();
    const base = decodeState<LogHead>(row.value);
    const events = (await this.#store.scan(SNAPSHOT_ROWS)).map(({ row: { value } }) => {
      const { event } = decodeState<SignedEvent>(value);
      return { event: decodeEvent(event), hash: eventHash(event) };
    });
    state.begin(events, base);
    const [oldest] = await this.#store.scan(LOG_ROWS, { limit: 1 });
    this.#base = base;
    this.#first = oldest === undefined ? base.number + 1 : Number(lastPart(oldest.key));
  }

  /** What a process left that stopped while it stored a snapshot, or removed one. */
  async #dropSnapshot(): Promise<void> {
    for (;;) {
      const rows = await this.#scan(SNAPSHOT_ROWS);
      if (rows.length === 0) return;
      await this.#store.commit(rows.map(({ key }) => ({ key, value: null })));
    }
  }

  async #scan(prefix: string, after?: string, limit = PAGE): Promise<readonly ScannedRow[]> {
    return this.#store.scan(prefix, { limit, ...(after !== undefined && { after }) });
  }
}
