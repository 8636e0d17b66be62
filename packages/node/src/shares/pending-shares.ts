import type { Change, Store } from '@symmetra/storage';
import { lastPart, shareRow, sharesOf } from '../rows/row-keys.js';
import { decodeShareRow } from './share-row.js';
import type { ShareRow } from './share-row.js';

/** Shares that may wait for one responder, so that no peer can fill its node. */
export const MAX_PENDING = 1024;
/** Responders whose waiting shares are known without a look into the store. */
const MAX_KNOWN = 10_000;
const PAGE = 128;

/** The shares that wait for their responders: rows, and an index of their key ids. */
export class PendingShares {
  readonly #store: Store;
  readonly #isShared: boolean;
  /** By responder: key ids of the shares that wait. */
  readonly #waiting = new Map<string, Set<string>>();
  readonly #loading = new Map<string, Promise<Set<string>>>();

  /** @param isShared whether other processes of this node store and erase shares too */
  constructor(store: Store, isShared: boolean) {
    this.#store = store;
    this.#isShared = isShared;
  }

  /**
   * Whether one more share may wait for a responder; one that waits already may. Where several processes share the store,
   * each counts the shares that it knows of, and looks again before it refuses.
   */
  async mayWait(responderHex: string, keyHex: string): Promise<boolean> {
    const waiting = this.#waiting.get(responderHex) ?? (await this.of(responderHex));
    if (waiting.size < MAX_PENDING || waiting.has(keyHex)) return true;
    return this.#isShared && (await this.of(responderHex)).size < MAX_PENDING;
  }

  /** Erases those of some shares that wait for a responder. */
  async acknowledged(responderHex: string, keys: readonly string[]): Promise<void> {
    if (this.#isShared) return this.drop(responderHex, keys);
    const waiting = this.#waiting.get(responderHex) ?? (await this.of(responderHex));
    return this.drop(
      responderHex,
      keys.filter((keyHex) => waiting.has(keyHex)),
    );
  }

  /** The key ids of the shares that wait for a responder; live. */
  async of(responderHex: string): Promise<Set<string>> {
    const known = this.#waiting.get(responderHex);
    if (known !== undefined && !this.#isShared) return known;
    const loading = this.#loading.get(responderHex) ?? this.#load(responderHex);
    this.#loading.set(responderHex, loading);
    try {
      return await loading;
    } finally {
      this.#loading.delete(responderHex);
    }
  }

  /** The shares that wait for a responder, page by page. The caller erases them. */
  async *read(responderHex: string): AsyncGenerator<{ keyHex: string; share: ShareRow }> {
    const prefix = sharesOf(responderHex);
    let after: string | undefined;
    for (;;) {
      const page = await this.#store.scan(prefix, { limit: PAGE, ...(after !== undefined && { after }) });
      for (const { key, row } of page) {
        const share = decodeShareRow(row.value);
        row.value.fill(0);
        yield { keyHex: lastPart(key), share };
      }
      after = page.at(-1)?.key;
      if (page.length < PAGE) return;
    }
  }

  /** Takes note of a share whose row is about to be stored, or was not stored after all. */
  note(responderHex: string, keyHex: string, waits: boolean): void {
    const waiting = this.#waiting.get(responderHex);
    if (waits) waiting?.add(keyHex);
    else waiting?.delete(keyHex);
  }

  /** Erases shares of one responder. */
  async drop(responderHex: string, keys: readonly string[]): Promise<void> {
    if (keys.length === 0) return;
    const changes: Change[] = keys.map((keyHex) => ({ key: shareRow(responderHex, keyHex), value: null }));
    await this.#store.commit(changes);
    for (const keyHex of keys) this.note(responderHex, keyHex, false);
  }

  async #load(responderHex: string): Promise<Set<string>> {
    const keys = new Set<string>();
    for await (const { keyHex, share } of this.read(responderHex)) {
      share.share.fill(0);
      keys.add(keyHex);
    }
    this.#waiting.set(responderHex, keys);
    for (const oldest of this.#waiting.keys()) {
      if (this.#waiting.size <= MAX_KNOWN) break;
      this.#waiting.delete(oldest);
    }
    return keys;
  }
}
