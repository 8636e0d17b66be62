import { SymmetraError, equalConstantTime } from '@symmetra/crypto';
import { decodeEvent, decodeState, encodeState, eventHash } from '@symmetra/protocol';
import type { SignedEvent } from '@symmetra/protocol';
import type { Change, Store } from '@symmetra/storage';
import { FORK_ROWS, LOG_ROWS, forkRow, logRow } from '../rows/row-keys.js';
import type { ControlState } from './control-state.js';

const PAGE = 256;

/** The control log as it stands in the store (CTL-3). */
export class LogRows {
  readonly #store: Store;
  #first = 1;

  constructor(store: Store) {
    this.#store = store;
  }

  /**
   * Brings the state up to the newest stored event.
   * @throws LOG_BROKEN when the stored events are not one chain
   */
  async replay(state: ControlState): Promise<void> {
    for (;;) {
      const page = await this.range(state.head.number + 1, PAGE);
      for (const signed of page) {
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

  /** One event. */
  async event(number: number): Promise<SignedEvent | undefined> {
    const row = await this.#store.get(logRow(number));
    return row && decodeState<SignedEvent>(row.value);
  }

  /** Events from a number on, without gaps, at most `limit`. */
  async range(from: number, limit: number): Promise<readonly SignedEvent[]> {
    const after = from > 1 ? logRow(from - 1) : undefined;
    const rows = await this.#store.scan(LOG_ROWS, { limit, ...(after !== undefined && { after }) });
    return rows.map(({ row }) => decodeState<SignedEvent>(row.value));
  }

  /** The row of the next event; whoever wrote that number first wins. */
  append(number: number, signed: SignedEvent): Change {
    return { key: logRow(number), value: encodeState(signed), expect: 0 };
  }

  /** Keeps the second event of a number as evidence; the node stays halted over restarts. */
  async keepFork(number: number, signed: SignedEvent): Promise<void> {
    await this.#store.commit([{ key: forkRow(number), value: encodeState(signed) }]);
  }
}
