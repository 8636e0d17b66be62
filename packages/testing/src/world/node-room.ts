import { Secret } from '@symmetra/crypto';
import { sealStore } from '@symmetra/storage';
import type { MasterKey, Store } from '@symmetra/storage';
import type { Prng } from '../prng.js';
import type { CrashDisk } from './crash-disk.js';
import { StoreServer } from './store-server.js';
import type { StoreClient } from './store-server.js';
import type { Timeline } from './timeline.js';

/** What a room is made of. */
export interface NodeRoomOptions {
  readonly timeline: Timeline;
  readonly prng: Prng;
  readonly disk: CrashDisk;
  /** Whether several processes of the node use it: a server keeps the rows then. */
  readonly isShared: boolean;
}

/** Where one node keeps its rows, sealed under its master key: on the disk of its machine, or at a server. */
export class NodeRoom {
  readonly disk: CrashDisk;
  /** Undefined where the rows stand on the disk of the one process. */
  readonly server: StoreServer | undefined;
  /** What the processes of the node logged. */
  readonly log: string[] = [];
  readonly #masterKey: MasterKey;

  constructor({ timeline, prng, disk, isShared }: NodeRoomOptions) {
    this.disk = disk;
    this.server = isShared ? new StoreServer(timeline, disk) : undefined;
    this.#masterKey = Secret.of('masterKey', prng.bytes(32));
  }

  /** The store of one process. */
  open(client: StoreClient, random: (length: number) => Uint8Array): Store {
    const store = this.server === undefined ? this.disk.open(client.life) : this.server.open(client);
    return sealStore(store, this.#masterKey, random);
  }
}
