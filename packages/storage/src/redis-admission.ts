import { SymmetraError } from '@symmetra/crypto';
import type { RedisConnection } from './redis-connection.js';
import { CommandFailed, unavailable } from './redis-error.js';
import { COMMIT_SCRIPT, SCAN_SCRIPT } from './redis-scripts.js';

const FORMAT_NAME = 'symmetra-store';
/** The layout of the rows in Redis. */
const FORMAT_VERSION = 1;
/** `#!lua` scripts, which are refused as a whole or not at all, came with it. */
const OLDEST_MAJOR = 7;

/** The keys of one store. Their common hash tag puts them in one slot. */
export interface RedisKeys {
  readonly format: string;
  readonly rows: string;
  readonly index: string;
}

/** A weakness of the server's durability. `code` is stable, `message` a sentence for the operator. */
export interface RedisWarning {
  readonly code: string;
  readonly message: string;
}

/** A connection that may be used, and what the server said of itself. */
export interface Admission {
  readonly connection: RedisConnection;
  /** What the scripts are called by. */
  readonly commit: string;
  readonly scan: string;
  readonly info: ReadonlyMap<string, string>;
}

/** The keys of the store with that prefix. */
export function redisKeys(prefix: string): RedisKeys {
  return { format: `{${prefix}}:format`, rows: `{${prefix}}:rows`, index: `{${prefix}}:index` };
}

/**
 * Looks at the server behind a fresh connection before any row is read.
 * @throws CommandFailed, STORE_SERVER, STORE_EVICTS, STORE_VERSION, STORE_UNAVAILABLE
 */
export async function admit(
  connection: RedisConnection,
  keys: RedisKeys,
  deadline: number,
): Promise<Admission> {
  const info = parseInfo(await connection.send(deadline, 'INFO', []));
  checkServer(info);
  await connection.readClock(deadline);
  await checkFormat(connection, keys, deadline);
  const load = async (script: string) => String(await connection.send(deadline, 'SCRIPT', ['LOAD', script]));
  return { connection, info, commit: await load(COMMIT_SCRIPT), scan: await load(SCAN_SCRIPT) };
}

/** What is weaker in the server's durability than it should be. */
export async function durabilityWarnings(
  { connection, info }: Admission,
  replicated: boolean,
  deadline: number,
): Promise<readonly RedisWarning[]> {
  const config = await readConfig(connection, deadline);
  const warnings: RedisWarning[] = [];
  const warn = (code: string, message: string) => warnings.push({ code, message });
  if (info.get('aof_enabled') !== '1') {
    const lost = config?.get('save') === '' ? 'everything' : 'what came after its last snapshot';
    warn('REDIS_NO_LOG', `Redis loses ${lost} when it ends: set appendonly yes`);
  }
  if (config === undefined) {
    warn(
      'REDIS_CONFIG_HIDDEN',
      'the user may not read appendfsync and min-replicas-to-write: allow config|get',
    );
    return warnings;
  }
  if (config.get('appendfsync') !== 'always') {
    warn('REDIS_FSYNC', 'Redis acknowledges changes before they are on disk: set appendfsync always');
  }
  if (config.get('no-appendfsync-on-rewrite') === 'yes') {
    warn(
      'REDIS_FSYNC_ON_REWRITE',
      'Redis does not sync while it rewrites its log: set no-appendfsync-on-rewrite no',
    );
  }
  const hasReplicas = replicated || info.get('connected_slaves') !== '0';
  if (hasReplicas && config.get('min-replicas-to-write') === '0') {
    warn(
      'REDIS_MIN_REPLICAS',
      'a master that lost its replicas goes on taking changes: set min-replicas-to-write 1',
    );
  }
  return warnings;
}

function checkServer(info: ReadonlyMap<string, string>): void {
  const version = info.get('redis_version') ?? '';
  if (!(Number.parseInt(version, 10) >= OLDEST_MAJOR)) {
    throw new SymmetraError('STORE_SERVER', `Redis is too old: it must be ${OLDEST_MAJOR}.0 or newer`, {
      found: version,
    });
  }
  const policy = info.get('maxmemory_policy') ?? 'unknown';
  if (policy !== 'noeviction') {
    throw new SymmetraError('STORE_EVICTS', 'Redis may evict rows: set maxmemory-policy noeviction', {
      policy,
    });
  }
  if (info.get('loading') !== '0') throw unavailable('LOADING');
  if (info.get('role') !== 'master') throw unavailable('READONLY');
}

/** The marker is written before the first row, and read again: another process may have been first. */
async function checkFormat(connection: RedisConnection, keys: RedisKeys, deadline: number): Promise<void> {
  const marker = `${FORMAT_NAME} ${FORMAT_VERSION}`;
  const hasRows = await connection.send(deadline, 'EXISTS', [keys.rows]);
  const read = async () => (await connection.send(deadline, 'GET', [keys.format])) as Buffer | null;
  let found = await read();
  if (found === null && hasRows === 0) {
    await connection.send(deadline, 'SET', [keys.format, marker, 'NX']);
    found = await read();
  }
  if (found?.toString() === marker) return;
  throw new SymmetraError('STORE_VERSION', 'the store was made by another version of this software', {
    found: found?.toString().slice(0, 64) ?? 'none',
    expected: FORMAT_VERSION,
  });
}

async function readConfig(
  connection: RedisConnection,
  deadline: number,
): Promise<ReadonlyMap<string, string> | undefined> {
  const names = ['save', 'appendfsync', 'no-appendfsync-on-rewrite', 'min-replicas-to-write'];
  try {
    const flat = (await connection.send(deadline, 'CONFIG', ['GET', ...names])) as readonly Buffer[];
    const texts = flat.map(String);
    return new Map(texts.flatMap((text, i) => (i % 2 === 0 ? [[text, texts[i + 1] ?? '']] : [])));
  } catch (error) {
    if (error instanceof CommandFailed && error.error.code === 'STORE_REFUSED') return undefined;
    throw error;
  }
}

function parseInfo(reply: unknown): ReadonlyMap<string, string> {
  const lines = String(reply).split('\r\n');
  return new Map(
    lines.flatMap((line) => {
      const colon = line.indexOf(':');
      return colon < 0 ? [] : [[line.slice(0, colon), line.slice(colon + 1)]];
    }),
  );
}
