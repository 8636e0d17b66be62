import { SymmetraError } from '@symmetra/crypto';

/** Bytes of a key or a scan prefix at most. */
export const MAX_KEY_BYTES = 255;
/** Bytes of a value at most: 1 MiB. */
export const MAX_VALUE_BYTES = 2 ** 20;

/** What stands under a key. The value belongs to whoever read it. */
export interface Row {
  readonly value: Uint8Array;
  /**
   * Names this content of this key and no other. Versions come from one counter of the whole store
   * that starts at 1 and only grows, also across restarts, so that a key that was deleted and made
   * again never meets an old version. Read a version, never compute it.
   */
  readonly version: number;
}

/** One row to write or to delete. */
export interface Change {
  /**
   * `table/part/part`: printable ASCII, non-empty parts, at most 255 bytes. Keys are not secret:
   * no implementation encrypts them.
   */
  readonly key: string;
  /** The new content, at most 1 MiB; `null` deletes the row. It is copied before `commit` returns. */
  readonly value: Uint8Array | null;
  /** The version that must be current, 0 for "absent"; left out, the change is unconditional. */
  readonly expect?: number;
}

/** What a scan visits. */
export interface ScanOptions {
  /** Only keys behind this one. */
  readonly after?: string;
  /** Rows at most; all of them when left out. */
  readonly limit?: number;
}

/** One entry of a scan. */
export interface ScannedRow {
  readonly key: string;
  readonly row: Row;
}

/**
 * The store port: rows under string keys, changed by compare-and-set. One contract suite
 * (`test/contract/store.test.ts`) holds for every implementation.
 *
 * Every method rejects with STORE_CLOSED after `close`, STORE_CORRUPT when what was stored can not
 * be read back, STORE_FAILED when the storage underneath fails, and STORE_UNAVAILABLE when that is a
 * server that can not be used now, and nothing changed.
 */
export interface Store {
  /** @throws BAD_KEY */
  get(key: string): Promise<Row | undefined>;

  /**
   * Makes all changes or none, in one step that no reader sees half done. The promise is fulfilled
   * once they are durable: `true`, or `false` when an expectation did not hold and nothing changed.
   * @throws BAD_KEY, DUPLICATE_KEY (two changes of one key), VALUE_TOO_LARGE; STORE_FULL when there
   * is no room, and then nothing changed. After STORE_FAILED it is unknown whether they were made.
   */
  commit(changes: readonly Change[]): Promise<boolean>;

  /**
   * The rows whose keys begin with `prefix` (which may be empty), ascending by key bytes, as they
   * stood at one moment. @throws BAD_KEY for a prefix or `after` that no key could have.
   */
  scan(prefix: string, options?: ScanOptions): Promise<readonly ScannedRow[]>;

  /** Waits for the commits under way, then gives everything free. Doing it again has no effect. */
  close(): Promise<void>;
}

const KEY = /^[\x20-\x2e\x30-\x7e]+(?:\/[\x20-\x2e\x30-\x7e]+)*$/;
const PRINTABLE = /^[\x20-\x7e]*$/;

/** @throws BAD_KEY */
export function checkKey(key: string): void {
  if (key.length <= MAX_KEY_BYTES && KEY.test(key)) return;
  throw new SymmetraError('BAD_KEY', 'a key is made of non-empty printable parts and at most 255 bytes', {
    length: key.length,
  });
}

/** @throws BAD_KEY */
export function checkScan(prefix: string, options: ScanOptions): void {
  for (const bound of [prefix, options.after ?? '']) {
    if (bound.length <= MAX_KEY_BYTES && PRINTABLE.test(bound)) continue;
    throw new SymmetraError('BAD_KEY', 'the bound of a scan is printable and has at most 255 bytes', {
      length: bound.length,
    });
  }
}

/** @throws BAD_KEY, DUPLICATE_KEY, VALUE_TOO_LARGE */
export function checkChanges(changes: readonly Change[], maxValueBytes: number = MAX_VALUE_BYTES): void {
  const keys = new Set<string>();
  for (const { key, value } of changes) {
    checkKey(key);
    if (keys.has(key)) {
      throw new SymmetraError('DUPLICATE_KEY', 'one commit changes the same key twice', { key });
    }
    keys.add(key);
    if (value !== null && value.length > maxValueBytes) {
      throw new SymmetraError('VALUE_TOO_LARGE', `the value has ${value.length} bytes`, {
        key,
        length: value.length,
        limit: maxValueBytes,
      });
    }
  }
}

/** The error of a store that was closed. */
export function storeClosed(): SymmetraError {
  return new SymmetraError('STORE_CLOSED', 'the store is closed');
}
