import { chmod, mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { NkeySigner, createNkey } from '@symmetra/bus';
import type { RandomBytes } from '@symmetra/entropy';
import { writeFileAtomic } from '@symmetra/runtime';
import type { NodeConfig } from '@symmetra/runtime/configuration';
import { masterKeyFile, openLmdbStore, openRedisStore, sealStore } from '@symmetra/storage';
import type { RedisWarning, Store } from '@symmetra/storage';

const PRIVATE_DIRECTORY = 0o700;

/** Where the files of a node lie that its configuration does not name one by one. */
export function nodeFiles({ data, masterKeyFile: masterKey, bus }: NodeConfig) {
  return {
    masterKey: masterKey ?? join(data, 'master.key'),
    nkeySeed: bus.nkeySeedFile ?? join(data, 'nkey.seed'),
    store: join(data, 'store'),
    description: join(data, 'node.json'),
  };
}

/** Makes the directory of a node, closed to everybody else. @throws NO_PERMISSION and the like from the system */
export async function makeDataDirectory({ data }: NodeConfig): Promise<void> {
  await mkdir(data, { recursive: true, mode: PRIVATE_DIRECTORY });
  await chmod(data, PRIVATE_DIRECTORY);
}

/** A node's store, open and sealed under its master key. */
export interface NodeStore {
  readonly store: Store;
  /** Whether other processes of the node may use it, too. */
  readonly isShared: boolean;
  /** What the operator should know of how durable it is. */
  readonly warnings: readonly RedisWarning[];
  /** Closes the store and erases the master key from memory. */
  close(): Promise<void>;
}

/**
 * Opens the store that a configuration names; the master key is drawn when there is none.
 * @throws STORE_BUSY when another process has it open, STORE_SEAL_BROKEN when the master key is another store's,
 *   KEY_FILE_MODE, KEY_FILE_LENGTH, and what storage throws
 */
export async function openNodeStore(config: NodeConfig, random: RandomBytes): Promise<NodeStore> {
  const files = nodeFiles(config);
  const masterKey = await masterKeyFile(files.masterKey, random);
  try {
    const { rows, warnings } = await openRows(config, files.store);
    return {
      store: sealStore(rows, masterKey, random),
      isShared: config.store.kind === 'redis',
      warnings,
      close: async () => {
        await rows.close();
        masterKey.wipe();
      },
    };
  } catch (error) {
    masterKey.wipe();
    throw error;
  }
}

async function openRows(
  { node, store }: NodeConfig,
  dir: string,
): Promise<{ readonly rows: Store; readonly warnings: readonly RedisWarning[] }> {
  if (store.kind === 'lmdb') return { rows: await openLmdbStore(dir), warnings: [] };
  const { url, sentinels, master, username, passwordFile, tls } = store;
  const [password] =
    passwordFile === undefined ? [] : (await readFile(passwordFile, 'utf8')).split(/\r?\n/, 1);
  const rows = await openRedisStore({
    server: url === undefined ? { sentinels: sentinels ?? [], master: master ?? '' } : { url },
    prefix: `symmetra:${node}`,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls !== undefined && { tls: await readTls(tls) }),
  });
  return { rows, warnings: rows.warnings };
}

/** The files of one side of TLS. */
export interface TlsFiles {
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
}

/** What stands in them, in PEM. */
export async function readTls({ caFile, certFile, keyFile }: TlsFiles): Promise<{
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}> {
  return {
    ...(caFile !== undefined && { ca: await readFile(caFile, 'utf8') }),
    ...(certFile !== undefined && { cert: await readFile(certFile, 'utf8') }),
    ...(keyFile !== undefined && { key: await readFile(keyFile, 'utf8') }),
  };
}

/**
 * The public half of the key by which NATS knows the node; its seed (0600) is drawn when there is none.
 * @throws BAD_NKEY, NO_PERMISSION, DISK_FULL
 */
export async function nkeyOf(config: NodeConfig): Promise<string> {
  const { nkeySeed } = nodeFiles(config);
  const found = await readFile(nkeySeed).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (found === undefined) {
    const drawn = createNkey();
    await mkdir(dirname(nkeySeed), { recursive: true, mode: PRIVATE_DIRECTORY });
    await writeFileAtomic(nkeySeed, drawn.seed);
    drawn.seed.fill(0);
    return drawn.public;
  }
  try {
    return new NkeySigner(found).public;
  } finally {
    found.fill(0);
  }
}
