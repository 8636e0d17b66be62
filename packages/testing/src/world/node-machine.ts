import type { SuiteTable } from '@symmetra/crypto';
import { Seat, loadIdentity, newestDescriptor, startNode } from '@symmetra/node';
import type { NodeIdentity, RunningNode } from '@symmetra/node';
import { decodeDescriptor } from '@symmetra/protocol';
import type { SignedDescriptor } from '@symmetra/protocol';
import { createLogger } from '@symmetra/runtime';
import type { Logger } from '@symmetra/runtime';
import type { Store } from '@symmetra/storage';
import type { Prng } from '../prng.js';
import type { CrashDisk } from './crash-disk.js';
import { Life } from './life.js';
import type { Lines } from './lines.js';
import type { Mood } from './lying-node.js';
import type { MachineClock } from './machine-clock.js';
import type { NodeMember, NodePlace } from './meeting.js';
import type { NodeRoom } from './node-room.js';

/** The machine of a node: what lasts when its process dies. */
export interface NodeMachineOptions {
  /** Of the node. */
  readonly id: string;
  /** Of this machine, which no other has. */
  readonly name: string;
  readonly address: string;
  readonly clock: MachineClock;
  readonly room: NodeRoom;
  readonly prng: Prng;
  readonly lines: Lines;
  readonly suites: SuiteTable;
  readonly mood: Mood;
  readonly snapshotEvery: number;
  readonly join: (member: NodeMember) => NodePlace;
  readonly write: (line: string) => void;
  /** The process ended by itself: it could not go over to a newer descriptor. */
  readonly onFailed: (error: unknown) => void;
}

/** What a node is built of in one process. */
interface Build {
  readonly life: Life;
  readonly store: Store;
  readonly logger: Logger;
  readonly signed: SignedDescriptor;
  readonly onDescriptor: (newer: SignedDescriptor) => void;
}

/** One process of a node of a world: real code on a simulated machine. */
export class NodeMachine {
  readonly id: string;
  readonly name: string;
  readonly address: string;
  readonly clock: MachineClock;
  readonly room: NodeRoom;
  readonly mood: Mood;
  /** The descriptor that stands in its configuration; undefined before it is first started. */
  file: SignedDescriptor | undefined;
  /** Whether nothing passes between this process and those of other nodes, or the server of its store. */
  readonly cutOff = { wires: false, store: false };
  readonly #options: NodeMachineOptions;
  #life = new Life();
  #seat: Seat | undefined;
  #store: Store | undefined;
  #isRetired = false;

  constructor(options: NodeMachineOptions) {
    this.id = options.id;
    this.name = options.name;
    this.address = options.address;
    this.clock = options.clock;
    this.room = options.room;
    this.mood = options.mood;
    this.#options = options;
    this.#life.end();
  }

  get disk(): CrashDisk {
    return this.room.disk;
  }

  /** The process, while it is up. */
  get running(): RunningNode | undefined {
    return this.#seat?.node;
  }

  /** Whether there is a process, be it up or starting. */
  get alive(): boolean {
    return this.#life.lasts;
  }

  /** The process that is there now. */
  get life(): Life {
    return this.#life;
  }

  /** Whether its operator took it away for good. */
  get isRetired(): boolean {
    return this.#isRetired;
  }

  /** The identity of the node, in a process that does nothing else. */
  async identify(): Promise<NodeIdentity> {
    const life = new Life();
    const store = this.#openStore(life);
    const identity = await this.#identity(store);
    await store.close();
    life.end();
    return identity;
  }

  /** Starts a process. @throws what starting a node throws; nothing is left of it then */
  async start(given: SignedDescriptor): Promise<void> {
    const life = new Life();
    this.#life = life;
    const store = this.#openStore(life);
    const logger = this.#logger(life);
    const seat = new Seat({
      logger,
      build: async (signed, onDescriptor) => this.#build({ life, store, logger, signed, onDescriptor }),
    });
    try {
      await life.lasting(seat.start(await newestDescriptor(store, given)));
    } catch (error) {
      await life.lasting(Promise.resolve());
      life.end();
      throw error;
    }
    this.#seat = seat;
    this.#store = store;
    seat.failed.catch((error: unknown) => {
      life.reach(() => {
        life.end();
        this.#options.onFailed(error);
      });
    });
  }

  /** The process dies. */
  crash(): void {
    this.#seat = undefined;
    this.#life.end();
  }

  /** Ends the process in order. */
  async stop(): Promise<void> {
    const life = this.#life;
    const seat = this.#seat;
    const store = this.#store;
    this.#seat = undefined;
    await seat?.stop();
    await store?.close();
    life.end();
  }

  /** The machine is taken away: it runs no process any more. */
  retire(): void {
    this.#isRetired = true;
    this.crash();
  }

  async #build({ life, store, logger, signed, onDescriptor }: Build): Promise<RunningNode> {
    const { address, lines, suites, mood, join, prng, snapshotEvery } = this.#options;
    const clock = this.clock.of(life);
    const random = (length: number): Uint8Array => prng.bytes(length);
    const identity = await life.lasting(this.#identity(store));
    const descriptor = decodeDescriptor(signed.descriptor);
    const isCutOff = (): boolean => this.cutOff.wires;
    const { bus, log } = join({ life, identity, clock, random, descriptor, isCutOff });
    try {
      return await startNode({
        identity,
        descriptor: signed,
        store,
        isShared: this.room.server !== undefined,
        bus: mood.bus(bus),
        log,
        snapshotEvery,
        clock,
        randomness: { bytes: random, requireEntropy: () => undefined },
        logger,
        host: '',
        port: Number(address.split(':')[1]),
        reflection: false,
        door: lines.door(this.id, life, address),
        suites: mood.suites(suites),
        onDescriptor,
      });
    } catch (error) {
      await bus.close();
      throw error;
    }
  }

  #logger(life: Life): Logger {
    const { write } = this.#options;
    return createLogger({
      level: 'debug',
      clock: this.clock.of(life),
      output: {
        write: (line) => {
          if (life.lasts) write(line);
        },
      },
    });
  }

  async #identity(store: Store): Promise<NodeIdentity> {
    const { prng, suites } = this.#options;
    return loadIdentity(store, this.id, (length) => prng.bytes(length), suites);
  }

  #openStore(life: Life): Store {
    const { prng } = this.#options;
    const client = { life, isCutOff: () => this.cutOff.store };
    return this.room.open(client, (length) => prng.bytes(length));
  }
}
