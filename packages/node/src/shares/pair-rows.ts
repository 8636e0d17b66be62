import { SymmetraError } from '@symmetra/crypto';
import type { Store } from '@symmetra/storage';
import { encodeExpiry, expiryOf } from '../rows/expiry.js';
import { lastPart, pairRow, pairsOf } from '../rows/row-keys.js';

/** Pairs whose rows are known to last long enough without a look into the store. */
const MAX_KNOWN = 100_000;
/** A row is written anew at most this often, although each key of a pair lasts a little longer than the one before. */
const STEP_MS = 60 * 60_000;
const PAGE = 256;
const MAX_ATTEMPTS = 8;

/** Which devices may hold keys together, and until when (protocol section 8: peers of a revoked device are told). */
export class PairRows {
  readonly #store: Store;
  /** By device and peer: until when the row lasts, as it was stored last. */
  readonly #known = new Map<string, number>();
  /** By device and peer: what is under way. */
  readonly #linking = new Map<string, Promise<void>>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** Whether two devices are known to be linked until a time, milliseconds, without a look into the store. */
  areLinked(oneHex: string, otherHex: string, untilMs: number): boolean {
    return (this.#known.get(oneHex + otherHex) ?? 0) >= untilMs;
  }

  /**
   * Links two devices until a time, milliseconds, or longer where they were.
   * @throws STATE_CONFLICT when others kept changing the rows, and what the store throws
   */
  async link(oneHex: string, otherHex: string, untilMs: number): Promise<void> {
    const pair = oneHex + otherHex;
    const before = this.#linking.get(pair) ?? Promise.resolve();
    const linking = before.then(async () =>
      this.areLinked(oneHex, otherHex, untilMs) ? undefined : this.#link(oneHex, otherHex, untilMs),
    );
    const settled = linking.catch(() => undefined);
    this.#linking.set(pair, settled);
    try {
      await linking;
    } finally {
      if (this.#linking.get(pair) === settled) this.#linking.delete(pair);
    }
  }

  async #link(oneHex: string, otherHex: string, untilMs: number): Promise<void> {
    const keys = [pairRow(oneHex, otherHex), pairRow(otherHex, oneHex)];
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const rows = await Promise.all(keys.map(async (key) => this.#store.get(key)));
      const shortest = Math.min(...rows.map((row) => (row === undefined ? 0 : expiryOf(row.value))));
      if (shortest >= untilMs) {
        this.#note(oneHex + otherHex, shortest);
        return;
      }
      const value = encodeExpiry(untilMs + STEP_MS);
      const changes = keys.map((key, i) => ({ key, value, expect: rows[i]?.version ?? 0 }));
      if (!(await this.#store.commit(changes))) continue;
      this.#note(oneHex + otherHex, untilMs + STEP_MS);
      return;
    }
    throw new SymmetraError('STATE_CONFLICT', 'what is known of a pair kept changing; try again');
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
