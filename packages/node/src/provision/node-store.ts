import { readFile } from 'node:fs/promises';
import type { RandomBytes } from '@symmetra/entropy';
import type { NodeConfig } from '@symmetra/runtime/configuration';
import { masterKeyFile, openLmdbStore, openRedisStore, sealStore, storeName } from '@symmetra/storage';
import type { RedisServer, RedisWarning, Store } from '@symmetra/storage';
import { nodeFiles, readTls } from './node-files.js';
import { StoreMark } from './store-mark.js';

/** A node's store, open and sealed under its master key. */
export interface NodeStore {
  readonly store: Store;
  /** Whether other processes of the node may use it, too. */
  readonly isShared: boolean;
  /** What the operator should know of how durable it is. */
  readonly warnings: readonly RedisWarning[];
  /** Writes down how far a store on a server has come, in the node's directory. @throws what {@link StoreMark.keep} throws */
  readonly keepMark: () => Promise<void>;
  /** Closes the store and erases the master key from memory. */
  close(): Promise<void>;
}

interface Rows {
  readonly rows: Store;
  readonly warnings: readonly RedisWarning[];
  readonly keepMark: () => Promise<void>;
}

type RedisConfig = Extract<NodeConfig['store'], { kind: 'redis' }>;

/**
 * Opens the store that a configuration names; the master key is drawn when there is none.
 * @throws STORE_BUSY when another process has it open, STORE_SEAL_BROKEN when the master key is another store's,
 *   KEY_FILE_MODE, KEY_FILE_LENGTH, and what storage throws. Reading rejects with STORE_SET_BACK when the store is behind
 *   its mark.
 */
export async function openNodeStore(config: NodeConfig, random: RandomBytes): Promise<NodeStore> {
  const files = nodeFiles(config);
  const masterKey = await masterKeyFile(files.masterKey, random);
  try {
    const { store } = config;
    const { rows, warnings, keepMark } =
      store.kind === 'lmdb'
        ? { rows: await openLmdbStore(files.store), warnings: [], keepMark: async () => undefined }
        : await openRedisRows(store, storeName(masterKey, config.node), files.mark);
    return {
      store: sealStore(rows, masterKey, random),
      isShared: store.kind === 'redis',
      warnings,
      keepMark,
      close: async () => {
        await rows.close();
        masterKey.wipe();
        await keepMark();
      },
    };
  } catch (error) {
    masterKey.wipe();
    throw error;
  }
}

async function openRedisRows(store: RedisConfig, name: string, markFile: string): Promise<Rows> {
  const { username, tls } = store;
  const password = await passwordOf(store.passwordFile);
  const mark = await StoreMark.read(markFile, name);
  const rows = await openRedisStore({
    server: await serverOf(store),
    prefix: name,
    reached: mark.version,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls !== undefined && { tls: await readTls(tls) }),
  });
  return { rows, warnings: rows.warnings, keepMark: async () => mark.keep(rows.reached) };
}

async function serverOf(store: RedisConfig): Promise<RedisServer> {
  const { url, sentinels = [], master = '', sentinelUsername: username } = store;
  if (url !== undefined) return { url };
  const password = await passwordOf(store.sentinelPasswordFile);
  return {
    sentinels,
    master,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
  };
}

/** The first line of a file. */
async function passwordOf(file: string | undefined): Promise<string | undefined> {
  return file === undefined ? undefined : (await readFile(file, 'utf8')).split(/\r?\n/, 1)[0];
}
