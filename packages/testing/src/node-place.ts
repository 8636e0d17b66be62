import type { Bus } from '@symmetra/bus';
import { Secret } from '@symmetra/crypto';
import { osRandomness } from '@symmetra/entropy/device';
import { loadIdentity } from '@symmetra/node';
import type { NodeIdentity, RunningNode } from '@symmetra/node';
import { openLmdbStore, sealStore } from '@symmetra/storage';
import type { MasterKey, Store } from '@symmetra/storage';

const { bytes: random } = osRandomness();

/** One node of a test: its keys, its store and, while it runs, its processes. */
export interface Place {
  identity: NodeIdentity;
  readonly port: number;
  readonly masterKey: MasterKey;
  store: Store;
  /** Of its second process; undefined for a node of one process. */
  readonly replicaPort: number | undefined;
  running: RunningNode | undefined;
  replica: RunningNode | undefined;
  bus: Bus | undefined;
  /** Where the store lies. */
  readonly dir: string;
  /** Fulfilled when the node runs with the descriptor that it was told of last. */
  rebuilt: Promise<void>;
  /** Why it does not: the node is stopped. */
  failure?: Error;
}

/** A node that never ran: with a store of its own, and keys that are drawn. */
export async function makePlace(dir: string, id: string, port: number, replicaPort?: number): Promise<Place> {
  const masterKey: MasterKey = Secret.of('masterKey', random(32));
  const store = await openStore(dir, masterKey);
  const identity = await loadIdentity(store, id, random);
  const rebuilt = Promise.resolve();
  const stopped = { running: undefined, replica: undefined, bus: undefined };
  return { identity, port, replicaPort, masterKey, store, dir, rebuilt, ...stopped };
}

/** The store of a node, as a process of it opens it. */
export async function openStore(dir: string, masterKey: MasterKey): Promise<Store> {
  return sealStore(await openLmdbStore(dir), masterKey, random);
}
