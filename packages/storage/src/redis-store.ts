import { performance } from 'node:perf_hooks';
import { SymmetraError } from '@symmetra/crypto';
import { durabilityWarnings } from './redis-admission.js';
import type { Admission, RedisWarning } from './redis-admission.js';
import { decodeRow, encodeCommit } from './redis-batch.js';
import { failed, setBack } from './redis-error.js';
import { Lane } from './redis-lane.js';
import type { Waiting } from './redis-lane.js';
import { RedisLink } from './redis-link.js';
import { redisSettings } from './redis-options.js';
import type { RedisSettings, RedisStoreOptions } from './redis-options.js';
import type { RedisStore } from './redis.js';
import { COUNTER_FIELD } from './redis-scripts.js';
import { checkChanges, checkKey, checkScan, storeClosed } from './store.js';
import type { Change, Row, ScanOptions, ScannedRow } from './store.js';

const GET_LIMITS = { items: 256, bytes: Number.POSITIVE_INFINITY };
const COMMIT_LIMITS = { items: 512, bytes: 2 ** 23 };
/** How long a replica may take to say that it has a batch. */
const REPLICA_WAIT_MS = 1000;

interface Get extends Waiting<Row | undefined> {
  readonly key: string;
}

interface Commit extends Waiting<boolean> {
  readonly encoded: Buffer;
}

/** What `openRedisStore` of `redis.ts` does. */
export async function openStore(options: RedisStoreOptions): Promise<RedisStore> {
  const settings = redisSettings(options);
  const link = new RedisLink(settings);
  const deadline = performance.now() + settings.timeoutMs;
  try {
    const warnings = await link.run(deadline, true, (admission) =>
      durabilityWarnings(admission, settings.replicated, deadline),
    );
    return new LinkedStore(link, settings, warnings);
  } catch (error) {
    link.close();
    throw error;
  }
}

class LinkedStore implements RedisStore {
  readonly warnings: readonly RedisWarning[];
  readonly #link: RedisLink;
  readonly #settings: RedisSettings;
  readonly #gets = new Lane<Get>(GET_LIMITS, (batch) => this.#get(batch));
  readonly #commits = new Lane<Commit>(COMMIT_LIMITS, (batch) => this.#commit(batch));
  readonly #scans = new Set<Promise<unknown>>();
  #lastVersion: number;
  #broken: SymmetraError | undefined;
  #closing: Promise<void> | undefined;

  constructor(link: RedisLink, settings: RedisSettings, warnings: readonly RedisWarning[]) {
    this.#link = link;
    this.#settings = settings;
    this.warnings = warnings;
    this.#lastVersion = settings.reached;
  }

  get reached(): number {
    return this.#lastVersion;
  }

  async get(key: string): Promise<Row | undefined> {
    this.#checkUsable();
    checkKey(key);
    const deadline = this.#deadline();
    return new Promise((resolve, reject) => {
      this.#gets.push({ key, bytes: 0, deadline, resolve, reject });
    });
  }

  async commit(changes: readonly Change[]): Promise<boolean> {
    this.#checkUsable();
    checkChanges(changes);
    const encoded = encodeCommit(changes);
    const deadline = this.#deadline();
    return new Promise((resolve, reject) => {
      this.#commits.push({ encoded, bytes: encoded.length, deadline, resolve, reject });
    });
  }

  async scan(prefix: string, options: ScanOptions = {}): Promise<readonly ScannedRow[]> {
    this.#checkUsable();
    checkScan(prefix, options);
    const scan = this.#scan(prefix, options);
    this.#scans.add(scan);
    return scan.finally(() => this.#scans.delete(scan));
  }

  async close(): Promise<void> {
    this.#closing ??= this.#shutDown();
    return this.#closing;
  }

  async #shutDown(): Promise<void> {
    await Promise.allSettled([this.#gets.drained(), this.#commits.drained(), ...this.#scans]);
    this.#link.close();
  }

  async #get(batch: readonly Get[]): Promise<void> {
    const deadline = deadlineOf(batch);
    const args = [this.#link.keys.rows, COUNTER_FIELD, ...batch.map(({ key }) => key)];
    const [, ...rows] = await this.#read(deadline, ({ connection }) =>
      connection.send(deadline, 'HMGET', args),
    );
    for (const [i, { key, resolve, reject }] of batch.entries()) {
      const row = rows[i] === null ? undefined : decodeRow(rows[i]);
      if (row === undefined && rows[i] !== null) reject(corruptRow(key));
      else resolve(row);
    }
  }

  async #commit(batch: readonly Commit[]): Promise<void> {
    const deadline = deadlineOf(batch);
    const encoded = Buffer.concat(batch.map((commit) => commit.encoded));
    const [version, made] = await this.#noticed(
      this.#link.run(deadline, false, (admission) => this.#sendCommits(admission, encoded, deadline)),
    );
    this.#lastVersion = Math.max(this.#lastVersion, version);
    for (const [i, { resolve }] of batch.entries()) resolve(made[i] === '1');
  }

  /** The commits and, behind them in the same segment, the question whether a replica has them. */
  async #sendCommits(
    { connection, commit }: Admission,
    encoded: Buffer,
    deadline: number,
  ): Promise<readonly [number, string]> {
    const { rows, index } = this.#link.keys;
    const limit = connection.serverTime(deadline).toFixed(0);
    const commits = connection.send(deadline, 'EVALSHA', [
      commit,
      2,
      rows,
      index,
      this.#lastVersion,
      limit,
      encoded,
    ]);
    const replicas = this.#settings.replicated
      ? connection.send(deadline, 'WAIT', [
          1,
          Math.max(1, Math.min(REPLICA_WAIT_MS, Math.floor(deadline - performance.now()))),
        ])
      : Promise.resolve(1);
    const [reply, having] = await Promise.allSettled([commits, replicas]);
    if (reply.status === 'rejected') throw reply.reason;
    const [version, made] = reply.value as [number, Buffer];
    if (!made.includes('1') || (having.status === 'fulfilled' && Number(having.value) > 0)) {
      return [version, made.toString('latin1')];
    }
    throw failed('no replica has it');
  }

  async #scan(prefix: string, { after, limit = -1 }: ScanOptions): Promise<readonly ScannedRow[]> {
    if (limit === 0) return [];
    const { rows, index } = this.#link.keys;
    const deadline = this.#deadline();
    const from = after !== undefined && after >= prefix ? `(${after}` : `[${prefix}`;
    const range = [from, `(${prefix}${COUNTER_FIELD}`, limit];
    const [, ...found] = await this.#read(deadline, ({ connection, scan }) =>
      connection.send(deadline, 'EVALSHA', [scan, 2, rows, index, ...range]),
    );
    const scanned: ScannedRow[] = [];
    for (let i = 0; i < found.length; i += 2) {
      const key = String(found[i]);
      const row = decodeRow(found[i + 1]);
      if (row === undefined) throw corruptRow(key);
      scanned.push({ key, row });
    }
    return scanned;
  }

  /** Reads something whose reply begins with the version that the store has reached. */
  async #read(
    deadline: number,
    command: (admission: Admission) => Promise<unknown>,
  ): Promise<readonly unknown[]> {
    const known = this.#lastVersion;
    const reading = this.#link.run(deadline, true, async (admission) => {
      const reply = (await command(admission)) as readonly unknown[];
      if (Number(reply[0] ?? 0) < known) throw setBack();
      return reply;
    });
    return this.#noticed(reading);
  }

  /** What the server lost may have been acted on: the store is not used any more. */
  async #noticed<T>(running: Promise<T>): Promise<T> {
    try {
      return await running;
    } catch (error) {
      if (error instanceof SymmetraError && error.code === 'STORE_SET_BACK') this.#broken = error;
      throw error;
    }
  }

  #deadline(): number {
    return performance.now() + this.#settings.timeoutMs;
  }

  #checkUsable(): void {
    if (this.#closing) throw storeClosed();
    if (this.#broken) throw this.#broken;
  }
}

/** Nothing in a batch waits longer than it said. */
function deadlineOf(batch: readonly Waiting<never>[]): number {
  return Math.min(...batch.map(({ deadline }) => deadline));
}

function corruptRow(key: string): SymmetraError {
  return new SymmetraError('STORE_CORRUPT', 'a row of the store is missing its head', { key });
}
