import type { Change, Store } from '@symmetra/storage';
import { encodeExpiry, expiryOf } from '../rows/expiry.js';
import { lastPart, pairRow, pairsOf } from '../rows/row-keys.js';

/** Pairs whose rows are known to last long enough without a look into the store. */
const MAX_KNOWN = 100_000;
/** A row is written anew at most this often, although each key of a pair lasts a little longer than the one before. */
const STEP_MS = 60 * 60_000;
const PAGE = 256;

/** Which devices may hold keys together, and until when (protocol section 8: peers of a revoked device are told). */
export class PairRows {
  readonly #store: Store;
  /** By device and peer: until when the row lasts, as it was stored last. */
  readonly #known = new Map<string, number>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** Changes that link two devices until a time, milliseconds; none when their rows last that long already. */
  linking(oneHex: string, otherHex: string, untilMs: number): readonly Change[] {
    if ((this.#known.get(oneHex + otherHex) ?? 0) >= untilMs) return [];
    const value = encodeExpiry(untilMs + STEP_MS);
    return [
      { key: pairRow(oneHex, otherHex), value },
      { key: pairRow(otherHex, oneHex), value },
    ];
  }

  /** Takes note of rows that are stored by now. */
  noteLinked(oneHex: string, otherHex: string, untilMs: number): void {
    this.#note(oneHex + otherHex, untilMs + STEP_MS);
  }

  /** The peers that a device may hold keys with at a time. */
  async peersOf(deviceHex: string, nowMs: number): Promise<readonly string[]> {
    const peers: string[] = [];
    let after: string | undefined;
    for (;;) {
      const page = await this.#store.scan(pairsOf(deviceHex), {
        limit: PAGE,
        ...(after !== undefined && { after }),
      });
      for (const { key, row } of page) if (expiryOf(row.value) > nowMs) peers.push(lastPart(key));
      after = page.at(-1)?.key;
      if (page.length < PAGE) return peers;
    }
  }

  #note(pair: string, untilMs: number): void {
    this.#known.set(pair, untilMs);
    if (this.#known.size <= MAX_KNOWN) return;
    for (const oldest of this.#known.keys()) {
      this.#known.delete(oldest);
      return;
    }
  }
}
