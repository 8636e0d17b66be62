import { SymmetraError, equalConstantTime } from '@symmetra/crypto';
import { decodeEvent, decodeState, encodeState, eventHash, snapshotHash } from '@symmetra/protocol';
import type { LogHead, SignedEvent } from '@symmetra/protocol';
import type { Change, ScannedRow, Store } from '@symmetra/storage';
import {
  FORK_ROWS,
  LOG_BASE_ROW,
  LOG_ROWS,
  SNAPSHOT_ROWS,
  conflictRow,
  forkRow,
  lastPart,
  logRow,
  snapshotRow,
  snapshotRows,
} from '../rows/row-keys.js';
import type { ControlState } from './control-state.js';

const PAGE = 256;

/** The snapshot that a log began with (CTL-9). */
interface Base {
  readonly head: LogHead;
  /** Of the snapshot. */
  readonly hash: Uint8Array;
}

/**
 * The control log as it stands in the store (CTL-3). One that began with a snapshot has the snapshot's events apart, until
 * the history before it is complete (CTL-9).
 */
export class LogRows {
  readonly #store: Store;
  #base: Base | undefined;
  #first = 1;

  constructor(store: Store) {
    this.#store = store;
  }

  /**
   * Brings the state up to the newest stored event.
   * @throws LOG_BROKEN when the stored events are not one chain, or not those of the stored snapshot
   */
  async replay(state: ControlState): Promise<void> {
    await this.replaySnapshot(state);
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
    if (this.#base === undefined && state.head.number > 0) await this.#dropSnapshots();
    if ((await this.firstFork()) !== undefined) state.halt();
  }

  /** Has the state begin with the stored snapshot, if there is one. @throws LOG_BROKEN when some of its events are missing */
  async replaySnapshot(state: ControlState): Promise<void> {
    const row = await this.#store.get(LOG_BASE_ROW);
    if (row === undefined) return;
    const base = decodeState<Base>(row.value);
    const events = (await this.#store.scan(snapshotRows(base.head.number))).map(({ row: { value } }) => {
      const { event } = decodeState<SignedEvent>(value);
      return { event: decodeEvent(event), hash: eventHash(event) };
    });
    const hash = snapshotHash(
      base.head,
      events.map((one) => one.hash),
    );
    if (!equalConstantTime(hash, base.hash)) {
      // Another process of the node has completed the history meanwhile.
      if ((await this.#store.get(LOG_BASE_ROW)) === undefined) return;
      throw new SymmetraError('LOG_BROKEN', 'the stored events are not those of the stored snapshot', {
        number: base.head.number,
      });
    }
    state.begin(events, base.head);
    const [oldest] = await this.#store.scan(LOG_ROWS, { limit: 1 });
    this.#base = base;
    this.#first = oldest === undefined ? base.head.number + 1 : Number(lastPart(oldest.key));
  }

  /** The first number of which there are two events. */
  async firstFork(): Promise<number | undefined> {
    const [fork] = await this.#store.scan(FORK_ROWS, { limit: 1 });
    return fork && Number(lastPart(fork.key));
  }

  /** Number of the oldest event from which on none is missing. */
  get first(): number {
    return this.#first;
  }

  /** The head of the snapshot that the log began with, while the history before it is not complete. */
  get base(): LogHead | undefined {
    return this.#base?.head;
  }

  /** One event, as far as it is there. */
  async event(number: number): Promise<SignedEvent | undefined> {
    const base = this.#base?.head.number;
    const isApart = base !== undefined && number < this.#first;
    const apart = isApart ? await this.#store.get(snapshotRow(base, number)) : undefined;
    // Another process of the node may have completed the history.
    const row = apart ?? (await this.#store.get(logRow(number)));
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

  /** The row of the next event; whoever wrote that number first wins. A log with event 1 begins with no snapshot. */
  append(number: number, signed: SignedEvent): readonly Change[] {
    const row = { key: logRow(number), value: encodeState(signed), expect: 0 };
    return number === 1 ? [row, { key: LOG_BASE_ROW, value: null, expect: 0 }] : [row];
  }

  /** The row of an event of a snapshot up to a head. It means nothing before {@link LogRows.begin}. */
  apart(head: LogHead, number: number, signed: SignedEvent): Change {
    return { key: snapshotRow(head.number, number), value: encodeState(signed) };
  }

  /**
   * The events that were stored apart are the log up to this head.
   * @returns false when another process of the node has begun a log
   */
  async begin(head: LogHead, hash: Uint8Array): Promise<boolean> {
    const base: Base = { head, hash };
    const isFirst = await this.#store.commit([
      { key: LOG_BASE_ROW, value: encodeState(base), expect: 0 },
      { key: logRow(1), value: null, expect: 0 },
    ]);
    if (!isFirst) return false;
    this.#base = base;
    this.#first = head.number + 1;
    return true;
  }

  /** Puts history before the oldest event: what ends right before it, in order. What is there already stays as it is. */
  async prepend(events: readonly SignedEvent[]): Promise<void> {
    const from = this.#first - events.length;
    const kept = await Promise.all(events.map(async (signed, i) => (await this.event(from + i)) ?? signed));
    const isComplete = from === 1;
    await this.#store.commit([
      ...kept.map((signed, i) => ({ key: logRow(from + i), value: encodeState(signed) })),
      ...(isComplete ? [{ key: LOG_BASE_ROW, value: null }] : []),
    ]);
    this.#first = from;
    if (!isComplete) return;
    this.#base = undefined;
    await this.#dropSnapshots();
  }

  /** Keeps the first other event of a number as evidence. @returns whether it is the first */
  async keepConflict(number: number, signed: SignedEvent): Promise<boolean> {
    return this.#store.commit([{ key: conflictRow(number), value: encodeState(signed), expect: 0 }]);
  }

  /** Keeps the second event of a number of a log that is forked; the node stays halted over restarts. */
  async keepFork(number: number, signed: SignedEvent): Promise<void> {
    await this.#store.commit([{ key: forkRow(number), value: encodeState(signed) }]);
  }

  /** The log is complete: nobody needs events that stand apart. */
  async #dropSnapshots(): Promise<void> {
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
