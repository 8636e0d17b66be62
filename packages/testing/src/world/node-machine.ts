import type { Bus, LogStream } from '@symmetra/bus';
import { Secret } from '@symmetra/crypto';
import type { SuiteTable } from '@symmetra/crypto';
import { loadIdentity, startNode } from '@symmetra/node';
import type { NodeIdentity, RunningNode } from '@symmetra/node';
import type { SignedDescriptor } from '@symmetra/protocol';
import { createLogger } from '@symmetra/runtime';
import type { Clock } from '@symmetra/runtime';
import { sealStore } from '@symmetra/storage';
import type { MasterKey, Store } from '@symmetra/storage';
import type { Prng } from '../prng.js';
import type { CrashDisk } from './crash-disk.js';
import { Life } from './life.js';
import type { Lines } from './lines.js';
import type { Mood } from './lying-node.js';
import type { MachineClock } from './machine-clock.js';

/** A process of a node among the others. */
export interface NodePlace {
  readonly bus: Bus;
  readonly log: LogStream;
}

/** What a node's process brings to the others. It leaves them without a word when its life ends. */
export interface NodeMember {
  readonly life: Life;
  readonly identity: NodeIdentity;
  readonly clock: Clock;
  readonly random: (length: number) => Uint8Array;
}

/** The machine of a node: what lasts when its process dies. */
export interface NodeMachineOptions {
  readonly id: string;
  readonly address: string;
  readonly clock: MachineClock;
  readonly disk: CrashDisk;
  readonly prng: Prng;
  readonly lines: Lines;
  readonly suites: SuiteTable;
  readonly mood: Mood;
  readonly join: (member: NodeMember) => NodePlace;
  readonly write: (line: string) => void;
}

/** One node of a world: real code on a simulated machine. */
export class NodeMachine {
  readonly id: string;
  readonly address: string;
  readonly clock: MachineClock;
  readonly disk: CrashDisk;
  readonly mood: Mood;
  readonly #options: NodeMachineOptions;
  readonly #masterKey: MasterKey;
  #life = new Life();
  #running: RunningNode | undefined;
  #store: Store | undefined;

  constructor(options: NodeMachineOptions) {
    this.id = options.id;
    this.address = options.address;
    this.clock = options.clock;
    this.disk = options.disk;
    this.mood = options.mood;
    this.#options = options;
    this.#masterKey = Secret.of('masterKey', options.prng.bytes(32));
    this.#life.end();
  }

  /** The node, while it is up. */
  get running(): RunningNode | undefined {
    return this.#running;
  }

  /** Whether there is a process, be it up or starting. */
  get alive(): boolean {
    return this.#life.lasts;
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
  async start(descriptor: SignedDescriptor): Promise<void> {
    const { id, address, lines, suites, mood, join, write, prng } = this.#options;
    const life = new Life();
    this.#life = life;
    const clock = this.#options.clock.of(life);
    const random = (length: number): Uint8Array => prng.bytes(length);
    const store = this.#openStore(life);
    try {
      const identity = await life.lasting(this.#identity(store));
      const { bus, log } = join({ life, identity, clock, random });
      const running = await startNode({
        identity,
        descriptor,
        store,
        bus: mood.bus(bus),
        log,
        clock,
        randomness: { bytes: random, requireEntropy: () => undefined },
        logger: createLogger({
          level: 'debug',
          clock,
          output: {
            write: (line) => {
              if (life.lasts) write(line);
            },
          },
        }),
        host: '',
        port: Number(address.split(':')[1]),
        reflection: false,
        door: lines.door(id, life, address),
        suites: mood.suites(suites),
      });
      await life.lasting(Promise.resolve());
      this.#running = running;
      this.#store = store;
    } catch (error) {
      await life.lasting(Promise.resolve());
      life.end();
      throw error;
    }
  }

  /** The process dies. */
  crash(): void {
    this.#running = undefined;
    this.#life.end();
  }

  /** Ends the process in order. */
  async stop(): Promise<void> {
    const { running, store } = this.#left();
    await running?.stop();
    await store?.close();
    this.#life.end();
  }

  /** What the process had, which from now on is gone. */
  #left(): { readonly running: RunningNode | undefined; readonly store: Store | undefined } {
    const running = this.#running;
    this.#running = undefined;
    return { running, store: this.#store };
  }

  async #identity(store: Store): Promise<NodeIdentity> {
    const { id, prng, suites } = this.#options;
    return loadIdentity(store, id, (length) => prng.bytes(length), suites);
  }

  #openStore(life: Life): Store {
    const { disk, prng } = this.#options;
    return sealStore(disk.open(life), this.#masterKey, (length) => prng.bytes(length));
  }
}
