import { join } from 'node:path';
import type { RandomBytes } from '@symmetra/entropy';
import { masterKeyFile, openLmdbStore, sealStore } from '@symmetra/storage';
import type { Store } from '@symmetra/storage';
import { loadIdentity, wipeIdentity } from './identity/node-identity.js';
import type { NodeIdentity } from './identity/node-identity.js';

/** A node at rest: its keys and its store, sealed under its own master key. */
export interface NodeDirectory {
  readonly identity: NodeIdentity;
  readonly store: Store;
  /** Closes the store and erases the keys from memory. */
  close(): Promise<void>;
}

/**
 * Opens the directory of an embedded node, and gives a new one its keys: `master.key` and `store/`.
 * @throws STORE_BUSY when another process has it open, STORE_SEAL_BROKEN when the master key is another store's,
 *   NODE_DIFFERS, and what storage throws
 */
export async function openNodeDirectory(
  dir: string,
  id: string,
  random: RandomBytes,
): Promise<NodeDirectory> {
  const masterKey = await masterKeyFile(join(dir, 'master.key'), random);
  const raw = await openLmdbStore(join(dir, 'store')).catch((error: unknown) => {
    masterKey.wipe();
    throw error;
  });
  const store = sealStore(raw, masterKey, random);
  const close = async (): Promise<void> => {
    await store.close();
    masterKey.wipe();
  };
  try {
    const identity = await loadIdentity(store, id, random);
    return {
      identity,
      store,
      close: async () => {
        await close();
        wipeIdentity(identity);
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}
