import type { RedisWarning } from './redis-admission.js';
import type { RedisStoreOptions } from './redis-options.js';
import type { Store } from './store.js';

/** A store in Redis. */
export interface RedisStore extends Store {
  /** What the operator should be told about the server's durability; empty when all is well. */
  readonly warnings: readonly RedisWarning[];
  /** The version of the last change that the server acknowledged, to this process or before. */
  readonly reached: number;
}

/**
 * A store on a Redis server, 7.0 or newer, which the processes of one node share. Gets and commits of
 * one turn of the event loop travel together. A commit is sent once and never again, and its promise is
 * fulfilled when the server acknowledged it; with Sentinels, when a replica has it too. Gets, scans and
 * commits that the server did not begin are tried again until `timeoutMs` is over.
 *
 * Beside the errors of the port: STORE_UNAVAILABLE when the server can not be reached or used in time,
 * and nothing changed; STORE_SET_BACK, for good, when the server lost what it acknowledged to this process, or has not
 * come as far as `reached` says.
 *
 * @throws BAD_CONFIG, STORE_UNAVAILABLE, STORE_TLS, STORE_REFUSED (user, password, permissions),
 * STORE_SERVER (too old), STORE_EVICTS, STORE_VERSION
 */
export async function openRedisStore(options: RedisStoreOptions): Promise<RedisStore> {
  // The library is as large as all else that a command loads, and few processes have a store in Redis.
  const { openStore } = await import('./redis-store.js');
  return openStore(options);
}
