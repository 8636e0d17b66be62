import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InProcessLog, InProcessNetwork } from '@symmetra/bus';
import type { Bus } from '@symmetra/bus';
import { Secret, signatureKeygen, suites } from '@symmetra/crypto';
import { osRandomness } from '@symmetra/entropy/device';
import type { NodeRandomness } from '@symmetra/entropy/device';
import { describeIdentity, loadIdentity, startNode } from '@symmetra/node';
import type { NodeIdentity, RunningNode } from '@symmetra/node';
import { DEFAULT_POLICY, signDescriptor } from '@symmetra/protocol';
import type { Descriptor, Policy, SignedDescriptor } from '@symmetra/protocol';
import { createLogger, systemClock } from '@symmetra/runtime';
import type { Clock } from '@symmetra/runtime';
import { openLmdbStore, sealStore } from '@symmetra/storage';
import type { MasterKey, Store } from '@symmetra/storage';
import { TestAdministrator } from './administrator.js';

/** One line of a node's log. */
export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly node?: string;
  readonly event?: string;
  readonly code?: string;
  readonly method?: string;
  readonly device?: string;
}

interface Place {
  identity: NodeIdentity;
  readonly port: number;
  readonly masterKey: MasterKey;
  store: Store;
  running: RunningNode | undefined;
  bus: Bus | undefined;
}

const NODES = 3;
const THRESHOLD = 2;
const { bytes: random } = osRandomness();

/** Three real nodes in this process, each of which a test can stop and start by itself. */
export class NodeNetwork {
  readonly descriptor: Descriptor;
  readonly administrator: TestAdministrator;
  readonly log: LogLine[];
  /** Joins requests between nodes; a test may join as a node of its own. */
  readonly wire: InProcessNetwork;
  /** The ordered log of control events; it outlives the nodes. */
  readonly stream: InProcessLog;
  readonly #dir: string;
  readonly #clock: Clock;
  readonly #randomness: NodeRandomness;
  readonly #signed: SignedDescriptor;
  readonly #places: ReadonlyMap<string, Place>;

  private constructor(
    dir: string,
    clock: Clock,
    randomness: NodeRandomness,
    places: ReadonlyMap<string, Place>,
  ) {
    this.#randomness = randomness;
    this.#dir = dir;
    this.#clock = clock;
    this.#places = places;
    this.log = [];
    this.wire = new InProcessNetwork({ clock });
    this.stream = new InProcessLog(clock);
    const root = signatureKeygen(random(32));
    const administrator = signatureKeygen(random(32));
    this.descriptor = {
      networkId: random(16),
      version: 1,
      nodes: Array.from(places.values(), ({ identity, port }) =>
        describeIdentity(identity, [`127.0.0.1:${port}`], 'test'),
      ),
      suites: suites.ids(),
      threshold: THRESHOLD,
      administrators: [administrator.publicKey],
      administratorThreshold: 1,
    };
    this.#signed = signDescriptor(this.descriptor, root.secretKey, root.publicKey);
    this.administrator = new TestAdministrator(this.descriptor, root.publicKey, administrator, () =>
      clock.now(),
    );
  }

  /** Starts all nodes, under the default policy with some changes. */
  static async start(
    policy: Partial<Policy> = {},
    clock: Clock = systemClock,
    randomness = osRandomness(),
  ): Promise<NodeNetwork> {
    const dir = await mkdtemp(join(tmpdir(), 'symmetra-nodes-'));
    const places = new Map<string, Place>();
    const ports = await freePorts(NODES);
    for (let i = 1; i <= NODES; i++) {
      const id = `node-${i}`;
      const masterKey: MasterKey = Secret.of('masterKey', random(32));
      const store = await openStore(join(dir, id), masterKey);
      const identity = await loadIdentity(store, id, random);
      const port = ports[i - 1] ?? 0;
      places.set(id, { identity, port, masterKey, store, running: undefined, bus: undefined });
    }
    const network = new NodeNetwork(dir, clock, randomness, places);
    for (const id of places.keys()) await network.startNode(id);
    await network.administrator.submit({ kind: 'policy', policy: { ...DEFAULT_POLICY, ...policy } });
    return network;
  }

  get nodeIds(): readonly string[] {
    return [...this.#places.keys()];
  }

  node(id: string): RunningNode {
    const { running } = this.#place(id);
    if (running === undefined) throw new Error(`${id} is stopped`);
    return running;
  }

  /** The rows of a node, below its service. */
  store(id: string): Store {
    return this.#place(id).store;
  }

  async startNode(id: string): Promise<void> {
    const place = this.#place(id);
    place.bus = this.wire.join(id);
    place.running = await startNode({
      identity: place.identity,
      descriptor: this.#signed,
      store: place.store,
      bus: place.bus,
      log: this.stream.join(),
      clock: this.#clock,
      randomness: this.#randomness,
      logger: createLogger({
        level: 'debug',
        clock: this.#clock,
        output: { write: (line) => void this.log.push(JSON.parse(line) as LogLine) },
      }),
      host: '127.0.0.1',
      port: place.port,
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
    place.store = await openStore(join(this.#dir, id), place.masterKey);
    place.identity = await loadIdentity(place.store, id, random);
  }

  async stop(): Promise<void> {
    for (const { running, store } of this.#places.values()) {
      await running?.stop();
      await store.close();
    }
    await rm(this.#dir, { recursive: true, force: true });
  }

  #place(id: string): Place {
    const place = this.#places.get(id);
    if (place === undefined) throw new Error(`there is no ${id}`);
    return place;
  }
}

async function openStore(dir: string, masterKey: MasterKey): Promise<Store> {
  return sealStore(await openLmdbStore(dir), masterKey, random);
}

async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve) => {
          server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
        }),
    ),
  );
  for (const server of servers) server.close();
  return ports;
}
