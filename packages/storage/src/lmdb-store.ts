import { setImmediate as nextTurn } from 'node:timers/promises';
import { EMPTY, SymmetraError } from '@symmetra/crypto';
import { open } from 'lmdb';
import type { RootDatabase } from 'lmdb';
import { makePrivateDirectory } from './durable-file.js';
import { otherVersion, prepareDirectory, writeMarker } from './lmdb-directory.js';
import { acquire } from './ownership.js';
import type { Ownership } from './ownership.js';
import { Room } from './room.js';
import { checkChanges, checkKey, checkScan, storeClosed } from './store.js';
import type { Change, Row, ScanOptions, ScannedRow, Store } from './store.js';
import { storageError } from './storage-error.js';

/** Row: version u64, of which 48 bits are used, then the value. */
const VERSION_BYTES = 8;
/** Sorts behind every key that a row can have; holds the last version given out. */
const COUNTER_KEY = '\u007f';
/** Bounds of one LMDB transaction. */
const MAX_GROUP_COMMITS = 1024;
const MAX_GROUP_BYTES = 2 ** 24;

type Database = RootDatabase<Buffer, string>;

/** A change whose row is ready but for its version. */
interface Write {
  readonly key: string;
  readonly row: Buffer | null;
  readonly expect: number | undefined;
}

interface Pending {
  readonly writes: readonly Write[];
  readonly bytes: number;
  readonly resolve: (made: boolean) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * An embedded store in `dir`, on LMDB. This process must be the only one that uses it, which is
 * enforced. Commits that wait at the same time share one transaction and one fdatasync; expectations
 * are checked here, in order, against what the transaction will leave behind. The map grows as needed.
 *
 * @throws STORE_BUSY when a process has it open, STORE_VERSION, STORE_CORRUPT, STORE_FULL,
 * STORE_PERMISSION, STORE_FAILED.
 */
export async function openLmdbStore(dir: string): Promise<Store> {
  try {
    await makePrivateDirectory(dir);
    const ownership = await acquire(dir, 'store-owner');
    if ('ownedBy' in ownership) {
      throw new SymmetraError('STORE_BUSY', 'another process has the store open', { pid: ownership.ownedBy });
    }
    return await openOwned(dir, ownership).catch(async (error: unknown) => {
      await ownership.release();
      throw error;
    });
  } catch (error) {
    throw await storageError(error, dir);
  }
}

async function openOwned(dir: string, ownership: Ownership): Promise<Store> {
  const { dataFile, established } = await prepareDirectory(dir);
  const database: Database = open({
    path: dataFile,
    noSubdir: true,
    encoding: 'binary',
    maxDbs: 0,
    // A commit is fulfilled only behind its fdatasync, and starts when we say.
    overlappingSync: false,
    eventTurnBatching: false,
  });
  try {
    if (!established) {
      if ([...database.getKeys({ limit: 1 })].some((key) => key !== COUNTER_KEY)) throw otherVersion('none');
      await database.put(COUNTER_KEY, encodeRow(EMPTY, 0));
      await writeMarker(dir);
    }
    const counter = database.getBinary(COUNTER_KEY);
    if (counter === undefined) throw corruptRow(COUNTER_KEY);
    return new LmdbStore(dir, database, ownership, versionOf(COUNTER_KEY, counter));
  } catch (error) {
    await database.close();
    throw error;
  }
}

class LmdbStore implements Store {
  readonly #dir: string;
  readonly #database: Database;
  readonly #ownership: Ownership;
  readonly #room: Room;
  #lastVersion: number;
  readonly #queue: Pending[] = [];
  #running: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  #broken: SymmetraError | undefined;

  constructor(dir: string, database: Database, ownership: Ownership, lastVersion: number) {
    this.#dir = dir;
    this.#database = database;
    this.#ownership = ownership;
    this.#room = new Room(dir);
    this.#lastVersion = lastVersion;
  }

  async get(key: string): Promise<Row | undefined> {
    this.#checkOpen();
    checkKey(key);
    const stored = this.#database.getBinary(key);
    return stored && decodeRow(key, stored);
  }

  async commit(changes: readonly Change[]): Promise<boolean> {
    this.#checkOpen();
    checkChanges(changes);
    if (this.#broken) throw this.#broken;
    const writes = changes.map(({ key, value, expect }) => ({
      key,
      row: value && encodeRow(value, 0),
      expect,
    }));
    const bytes = writes.reduce((sum, { key, row }) => sum + key.length + (row?.length ?? 0), 0);
    return new Promise((resolve, reject) => {
      this.#queue.push({ writes, bytes, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  async scan(prefix: string, options: ScanOptions = {}): Promise<readonly ScannedRow[]> {
    this.#checkOpen();
    checkScan(prefix, options);
    const { after, limit } = options;
    const behind = after !== undefined && after >= prefix;
    const range = this.#database.getRange({
      start: behind ? after : prefix,
      exclusiveStart: behind,
      end: prefix + COUNTER_KEY,
      ...(limit !== undefined && { limit }),
    });
    return Array.from(range, ({ key, value }) => {
      if (typeof key !== 'string') throw corruptRow('unreadable');
      return { key, row: decodeRow(key, value) };
    });
  }

  async close(): Promise<void> {
    this.#closing ??= this.#shutDown();
    return this.#closing;
  }

  async #shutDown(): Promise<void> {
    await this.#running;
    await this.#database.close();
    await this.#ownership.release();
  }

  async #run(): Promise<void> {
    // The commits of one turn of the event loop go together.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      await this.#commitGroup(this.#takeGroup());
      await nextTurn();
    }
    this.#running = undefined;
  }

  #takeGroup(): readonly Pending[] {
    let count = 0;
    let bytes = 0;
    for (const pending of this.#queue) {
      bytes += pending.bytes;
      if (count > 0 && (count === MAX_GROUP_COMMITS || bytes > MAX_GROUP_BYTES)) break;
      count += 1;
    }
    return this.#queue.splice(0, count);
  }

  async #commitGroup(group: readonly Pending[]): Promise<void> {
    try {
      if (this.#broken) throw this.#broken;
      const rows = new Map<string, Buffer | null>();
      const outcomes = group.map(({ writes }) => this.#apply(writes, rows));
      if (rows.size > 0) await this.#write(rows);
      for (const [i, { resolve }] of group.entries()) resolve(outcomes[i] as boolean);
    } catch (error) {
      const reason = await this.#diagnose(error, group);
      for (const { reject } of group) reject(reason);
    }
  }

  /** Adds one commit to the rows that the transaction will write, if its expectations hold. */
  #apply(writes: readonly Write[], rows: Map<string, Buffer | null>): boolean {
    const expected = writes.every(
      ({ key, expect }) => expect === undefined || expect === this.#currentVersion(key, rows),
    );
    if (!expected) return false;
    this.#lastVersion += 1;
    const version = this.#lastVersion;
    for (const { key, row } of writes) {
      row?.writeUIntBE(version, VERSION_BYTES - 6, 6);
      rows.set(key, row);
    }
    return true;
  }

  #currentVersion(key: string, rows: ReadonlyMap<string, Buffer | null>): number {
    const pending = rows.get(key);
    const row = pending === undefined ? this.#database.getBinary(key) : pending;
    return row ? versionOf(key, row) : 0;
  }

  async #write(rows: ReadonlyMap<string, Buffer | null>): Promise<void> {
    const bytes = [...rows].reduce((sum, [key, row]) => sum + key.length + (row?.length ?? 0), 0);
    await this.#room.take(rows.size, bytes);
    await this.#database.batch(() => {
      for (const [key, row] of rows) {
        void (row === null ? this.#database.remove(key) : this.#database.put(key, row));
      }
      void this.#database.put(COUNTER_KEY, encodeRow(EMPTY, this.#lastVersion));
    });
  }

  /** Names a failure; when LMDB can not go on, every later commit fails with it too. */
  async #diagnose(error: unknown, group: readonly Pending[]): Promise<SymmetraError> {
    this.#room.forget();
    const bytes = group.reduce((sum, pending) => sum + pending.bytes, 0);
    const reason = await storageError(await causeOf(error), this.#dir, bytes);
    try {
      // An asynchronous transaction on an environment that LMDB gave up would never settle.
      this.#database.transactionSync(() => undefined);
    } catch {
      this.#broken ??= reason;
    }
    return reason;
  }

  #checkOpen(): void {
    if (this.#closing) throw storeClosed();
  }
}

/** lmdb hands over the reason for a failed transaction as a promise that rejects. */
async function causeOf(error: unknown): Promise<unknown> {
  try {
    await (error as { readonly commitError?: unknown } | null)?.commitError;
    return error;
  } catch (error_) {
    return error_;
  }
}

function encodeRow(value: Uint8Array, version: number): Buffer {
  const row = Buffer.allocUnsafe(VERSION_BYTES + value.length);
  row.writeUInt16BE(0, 0);
  row.writeUIntBE(version, VERSION_BYTES - 6, 6);
  row.set(value, VERSION_BYTES);
  return row;
}

function decodeRow(key: string, stored: Buffer): Row {
  const version = versionOf(key, stored);
  return { value: new Uint8Array(stored.subarray(VERSION_BYTES)), version };
}

function versionOf(key: string, stored: Buffer): number {
  if (stored.length < VERSION_BYTES) throw corruptRow(key);
  return stored.readUIntBE(VERSION_BYTES - 6, 6);
}

function corruptRow(key: string): SymmetraError {
  return new SymmetraError('STORE_CORRUPT', 'a row of the store is missing its head', { key });
}
