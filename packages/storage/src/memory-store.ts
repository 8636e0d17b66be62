import { checkChanges, checkKey, checkScan, storeClosed } from './store.js';
import type { Change, Row, ScanOptions, ScannedRow, Store } from './store.js';

/** A store in memory: gone with the process, and as durable as that. */
export function openMemoryStore(): Store {
  return new MemoryStore();
}

class MemoryStore implements Store {
  readonly #rows = new Map<string, Row>();
  #lastVersion = 0;
  #closed = false;

  async get(key: string): Promise<Row | undefined> {
    this.#checkOpen();
    checkKey(key);
    const row = this.#rows.get(key);
    return row && copy(row);
  }

  async commit(changes: readonly Change[]): Promise<boolean> {
    this.#checkOpen();
    checkChanges(changes);
    for (const { key, expect } of changes) {
      if (expect !== undefined && expect !== (this.#rows.get(key)?.version ?? 0)) return false;
    }
    this.#lastVersion += 1;
    const version = this.#lastVersion;
    for (const { key, value } of changes) {
      if (value === null) this.#rows.delete(key);
      else this.#rows.set(key, { value: value.slice(), version });
    }
    return true;
  }

  async scan(prefix: string, options: ScanOptions = {}): Promise<readonly ScannedRow[]> {
    this.#checkOpen();
    checkScan(prefix, options);
    const { after, limit } = options;
    return [...this.#rows]
      .filter(([key]) => key.startsWith(prefix) && (after === undefined || key > after))
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .slice(0, limit)
      .map(([key, row]) => ({ key, row: copy(row) }));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#rows.clear();
  }

  #checkOpen(): void {
    if (this.#closed) throw storeClosed();
  }
}

function copy({ value, version }: Row): Row {
  return { value: value.slice(), version };
}
