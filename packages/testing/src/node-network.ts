import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { InProcessLog, InProcessNetwork } from '@symmetra/bus';
import type { Bus } from '@symmetra/bus';
import { SymmetraError, signatureKeygen, suites } from '@symmetra/crypto';
import type { SignatureKeyPair } from '@symmetra/crypto';
import { osRandomness } from '@symmetra/entropy/device';
import type { NodeRandomness } from '@symmetra/entropy/device';
import { describeIdentity, loadIdentity, newestDescriptor, startNode } from '@symmetra/node';
import type { NodePorts, RunningNode } from '@symmetra/node';
import { DEFAULT_POLICY, signDescriptor } from '@symmetra/protocol';
import { NodeClient } from '@symmetra/rpc';
import type { Descriptor, Policy, SignedDescriptor } from '@symmetra/protocol';
import { createLogger, systemClock } from '@symmetra/runtime';
import type { Clock } from '@symmetra/runtime';
import type { Store } from '@symmetra/storage';
import { TestAdministrator } from './administrator.js';
import { freePorts } from './free-ports.js';
import { makePlace, openStore } from './node-place.js';
import type { Place } from './node-place.js';

/** One line of a node's log. */
export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly node?: string;
  readonly event?: string;
  readonly code?: string;
  readonly method?: string;
  readonly device?: string;
  readonly accused?: string;
  readonly peer?: string;
  readonly sequence?: number;
  readonly count?: number;
}

/** What a test may set of the control log at all nodes. */
type ControlSettings = Pick<NodePorts, 'freshness' | 'snapshotEvery'>;

const NODES = 3;
const THRESHOLD = 2;
const { bytes: random } = osRandomness();

/** Three real nodes in this process, each of which a test can stop and start by itself. */
export class NodeNetwork {
  readonly log: LogLine[];
  /** Joins requests between nodes; a test may join as a node of its own. */
  readonly wire: InProcessNetwork;
  /** The ordered log of control events; it outlives the nodes. */
  readonly stream: InProcessLog;
  readonly #dir: string;
  readonly #clock: Clock;
  readonly #randomness: NodeRandomness;
  readonly #settings: ControlSettings;
  readonly #root: SignatureKeyPair;
  readonly #administratorKey: SignatureKeyPair;
  readonly #places: Map<string, Place>;
  #descriptor: Descriptor;
  #signed: SignedDescriptor;
  #administrator: TestAdministrator;

  private constructor(
    dir: string,
    clock: Clock,
    randomness: NodeRandomness,
    places: Map<string, Place>,
    settings: ControlSettings,
  ) {
    this.#settings = settings;
    this.#randomness = randomness;
    this.#dir = dir;
    this.#clock = clock;
    this.#places = places;
    this.log = [];
    this.wire = new InProcessNetwork({ clock });
    this.stream = new InProcessLog(clock);
    this.#root = signatureKeygen(random(32));
    this.#administratorKey = signatureKeygen(random(32));
    this.#descriptor = {
      networkId: random(16),
      version: 1,
      nodes: this.#describe(),
      suites: suites.ids(),
      threshold: THRESHOLD,
      administrators: [this.#administratorKey.publicKey],
      administratorThreshold: 1,
    };
    this.#signed = this.sign(this.#descriptor);
    this.#administrator = this.#newAdministrator();
  }

  /**
   * Starts all nodes, under the default policy with some changes.
   * @param shared nodes that may run as two processes over one store
   */
  static async start(
    policy: Partial<Policy> = {},
    clock: Clock = systemClock,
    randomness = osRandomness(),
    shared: readonly string[] = [],
    settings: ControlSettings = {},
  ): Promise<NodeNetwork> {
    const dir = await mkdtemp(join(tmpdir(), 'symmetra-nodes-'));
    const places = new Map<string, Place>();
    const ports = await freePorts(2 * NODES);
    for (let i = 1; i <= NODES; i++) {
      const id = `node-${i}`;
      places.set(
        id,
        await makePlace(
          join(dir, id),
          id,
          ports[i - 1] ?? 0,
          shared.includes(id) ? ports[NODES + i - 1] : undefined,
        ),
      );
    }
    const network = new NodeNetwork(dir, clock, randomness, places, settings);
    for (const id of places.keys()) await network.startNode(id);
    await network.administrator.submit({ kind: 'policy', policy: { ...DEFAULT_POLICY, ...policy } });
    return network;
  }

  /** The newest descriptor that the root signed. */
  get descriptor(): Descriptor {
    return this.#descriptor;
  }

  get administrator(): TestAdministrator {
    return this.#administrator;
  }

  get nodeIds(): readonly string[] {
    return [...this.#places.keys()];
  }

  node(id: string): RunningNode {
    const { running } = this.#place(id);
    if (running === undefined) throw new Error(`${id} is stopped`);
    return running;
  }

  /** The version of the descriptor with which a node runs; undefined while it is stopped, or goes over to another. */
  runningVersion(id: string): number | undefined {
    return this.#place(id).running?.descriptorVersion;
  }

  /** The rows of a node, below its service. */
  store(id: string): Store {
    return this.#place(id).store;
  }

  /** A descriptor under the root's signature. */
  sign(descriptor: Descriptor): SignedDescriptor {
    return signDescriptor(descriptor, this.#root.secretKey, this.#root.publicKey);
  }

  /** Makes another node, has the root name it, and starts it; the other nodes run with that descriptor then. */
  async addNode(id: string): Promise<void> {
    const [port = 0] = await freePorts(1);
    this.#places.set(id, await makePlace(join(this.#dir, id), id, port));
    await this.#announce();
    await this.startNode(id);
  }

  /** Gives a stopped node another store with other keys, as one that is restored has, and starts it. */
  async replaceNode(id: string): Promise<void> {
    const { store, port, dir, running } = this.#place(id);
    if (running !== undefined) throw new Error(`${id} is running`);
    await store.close();
    this.#places.set(id, await makePlace(`${dir}-again`, id, port));
    await this.#announce();
    await this.startNode(id);
  }

  /** Stops a node for good; the descriptor names it no more. */
  async removeNode(id: string): Promise<void> {
    const { store, running } = this.#place(id);
    await running?.stop();
    await store.close();
    this.#places.delete(id);
    await this.#announce();
  }

  /** Fulfilled when all nodes run with the descriptor that they were told of last. @throws why one does not start again */
  async settled(): Promise<void> {
    for (const place of this.#places.values()) {
      await place.rebuilt;
      if (place.failure !== undefined) throw place.failure;
    }
  }

  async startNode(id: string): Promise<void> {
    const place = this.#place(id);
    place.bus = this.wire.join(id, place.replica !== undefined);
    place.running = await this.#run(place, place.bus, place.port);
  }

  /** Starts the second process of a node, which uses the same store. */
  async startReplica(id: string): Promise<void> {
    const place = this.#place(id);
    if (place.replicaPort === undefined) throw new Error(`${id} is one process`);
    place.replica = await this.#run(place, this.wire.join(id, true), place.replicaPort);
  }

  async stopReplica(id: string): Promise<void> {
    const place = this.#place(id);
    await place.replica?.stop();
    place.replica = undefined;
  }

  async #run(place: Place, bus: Bus, port: number): Promise<RunningNode> {
    const { id } = place.identity;
    return startNode({
      isShared: place.replicaPort !== undefined,
      identity: place.identity,
      descriptor: await newestDescriptor(place.store, this.#signed),
      onDescriptor: () => {
        place.rebuilt = place.rebuilt
          .then(async () => this.#rebuild(id))
          .catch((error: unknown) => {
            place.failure = error as Error;
          });
      },
      store: place.store,
      bus,
      log: this.stream.join(),
      ...this.#settings,
      clock: this.#clock,
      randomness: this.#randomness,
      logger: createLogger({
        level: 'debug',
        clock: this.#clock,
        output: { write: (line) => void this.log.push(JSON.parse(line) as LogLine) },
      }),
      host: '127.0.0.1',
      port,
      reflection: false,
    });
  }

  /** Stops a node's service; its store stays. */
  async stopNode(id: string): Promise<void> {
    await this.node(id).stop();
    this.#place(id).running = undefined;
  }

  /** What a new process of a stopped node does first: opens its store from the disk, and finds itself in it. */
  async reopenStore(id: string): Promise<void> {
    const place = this.#place(id);
    if (place.running !== undefined) throw new Error(`${id} is running`);
    await place.store.close();
    place.store = await openStore(place.dir, place.masterKey);
    place.identity = await loadIdentity(place.store, id, random);
  }

  /** A stopped node loses everything but its identity. */
  async emptyStore(id: string): Promise<void> {
    const { store } = this.#place(id);
    for (const { key } of await store.scan('')) {
      if (key !== 'identity') await store.commit([{ key, value: null }]);
    }
  }

  async stop(): Promise<void> {
    for (const { running, replica, store } of this.#places.values()) {
      await running?.stop();
      await replica?.stop();
      await store.close();
    }
    await rm(this.#dir, { recursive: true, force: true });
  }

  /** CTL-2: the node stops, and starts again with the descriptor in its store. */
  async #rebuild(id: string): Promise<void> {
    if (this.#place(id).running === undefined) return;
    await this.stopNode(id);
    await this.startNode(id);
  }

  /** The next descriptor names the nodes that there are; the root signs it, and every node that runs takes it up. */
  async #announce(): Promise<void> {
    this.#descriptor = {
      ...this.#descriptor,
      version: this.#descriptor.version + 1,
      nodes: this.#describe(),
    };
    this.#signed = this.sign(this.#descriptor);
    this.#administrator = this.#newAdministrator();
    for (const place of this.#places.values()) if (place.running !== undefined) await this.#put(place);
    await this.settled();
  }

  /** Brings a node the newest descriptor, unless it went over to it by itself. */
  async #put(place: Place): Promise<void> {
    const client = new NodeClient(`127.0.0.1:${place.port}`);
    try {
      while (place.running?.descriptorVersion !== this.#descriptor.version) {
        await place.rebuilt;
        if (place.failure !== undefined) throw place.failure;
        await client.putDescriptor(this.#signed).catch((error: unknown) => {
          if (!(error instanceof SymmetraError) || error.code !== 'NODE_UNREACHABLE') throw error;
        });
        // A node goes over behind its answer.
        await nextTurn();
        await place.rebuilt;
      }
    } finally {
      client.close();
    }
  }

  #describe(): Descriptor['nodes'] {
    return Array.from(this.#places.values(), ({ identity, port, replicaPort }) => {
      const ports = replicaPort === undefined ? [port] : [port, replicaPort];
      return describeIdentity(
        identity,
        ports.map((one) => `127.0.0.1:${one}`),
        'test',
      );
    });
  }

  #newAdministrator(): TestAdministrator {
    return new TestAdministrator(this.#descriptor, this.#root.publicKey, this.#administratorKey, () =>
      this.#clock.now(),
    );
  }

  #place(id: string): Place {
    const place = this.#places.get(id);
    if (place === undefined) throw new Error(`there is no ${id}`);
    return place;
  }
}
