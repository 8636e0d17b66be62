import type { InProcessLog } from '@symmetra/bus';
import { suites } from '@symmetra/crypto';
import type { SuiteTable } from '@symmetra/crypto';
import { DEFAULT_POLICY } from '@symmetra/protocol';
import type { Policy } from '@symmetra/protocol';
import type { TestAdministrator } from '../administrator.js';
import { CHEAP_SUITE_ID, cheapSuite } from '../cheap-suite.js';
import type { Occurrences } from '../occurrences.js';
import { Prng } from '../prng.js';
import { SealLedger } from '../seal-ledger.js';
import type { SimulatedWires } from '../simulated-wires.js';
import { CrashDisk } from './crash-disk.js';
import { DeviceMachine } from './device-machine.js';
import { Life } from './life.js';
import { Lines } from './lines.js';
import type { LogWeather } from './log-place.js';
import { Mood } from './lying-node.js';
import { MachineClock, WORLD_BEGINNING_MS } from './machine-clock.js';
import { Meeting } from './meeting.js';
import { NodeMachine } from './node-machine.js';
import { NodeRoom } from './node-room.js';
import { Root } from './root.js';
import type { NamedNode } from './root.js';
import { SealedValues } from './sealed-values.js';
import { Timeline } from './timeline.js';

/** The suite in which token secrets are sealed to the nodes; every other key of a world is of the cheap suite. */
const TOKEN_SUITE = 1;
const SETUP_MS = 10_000;
const FIRST_PORT = 7401;
/** How often a node that is started again gets the newest descriptor with its configuration. */
const NEW_FILE = 0.3;

/** How a world is made. */
export interface WorldOptions {
  readonly seed: string;
  readonly nodes: number;
  readonly threshold: number;
  /** How many of the nodes run as two processes over one store; none when left out. */
  readonly shared?: number;
  /** CTL-9. */
  readonly snapshotEvery: number;
  readonly policy?: Partial<Policy>;
  readonly occurrences: Occurrences;
}

/** A node of the newest descriptor: its keys, and the machines of its processes. */
interface NodeHouse {
  readonly named: NamedNode;
  readonly machines: readonly NodeMachine[];
}

/**
 * A whole network in one process: nodes, devices, an administrator and the holder of the root key, each on a machine of its
 * own, on one time, one network, one kind of disk. One seed decides everything.
 */
export class World {
  readonly prng: Prng;
  readonly timeline = new Timeline();
  readonly lines: Lines;
  readonly occurrences: Occurrences;
  readonly seals: SealLedger;
  readonly sealed = new SealedValues();
  readonly log: string[] = [];
  readonly meeting: Meeting;
  /** Told when the process of a node ended by itself. */
  onNodeFailed: (node: NodeMachine, error: unknown) => void = () => undefined;
  readonly #options: WorldOptions;
  readonly #suites: SuiteTable;
  readonly #houses = new Map<string, NodeHouse>();
  readonly #machines: NodeMachine[] = [];
  readonly #devices: DeviceMachine[] = [];
  #root: Root | undefined;

  private constructor(options: WorldOptions) {
    const { seed, occurrences } = options;
    this.#options = options;
    this.prng = new Prng(seed);
    this.occurrences = occurrences;
    this.seals = new SealLedger([suites.get(TOKEN_SUITE), cheapSuite]);
    this.#suites = this.seals.suites;
    this.lines = new Lines({
      timeline: this.timeline,
      prng: this.#prng('lines'),
      note: (event) => occurrences.note(`line:${event}`),
    });
    this.meeting = new Meeting({
      timeline: this.timeline,
      suites: this.#suites,
      prng: (name) => this.#prng(name),
      note: (event) => occurrences.note(event),
    });
  }

  /** Starts all nodes, under the default policy with some changes. */
  static async create(options: WorldOptions): Promise<World> {
    const world = new World(options);
    await world.settled(SETUP_MS, world.#begin());
    return world;
  }

  /** The machines of the nodes that the newest descriptor names. */
  get nodes(): readonly NodeMachine[] {
    return [...this.#houses.values()].flatMap(({ machines }) => machines);
  }

  /** The ids of these nodes. */
  get nodeIds(): readonly string[] {
    return [...this.#houses.keys()];
  }

  /** The machines of all nodes that there ever were. */
  get machines(): readonly NodeMachine[] {
    return this.#machines;
  }

  get devices(): readonly DeviceMachine[] {
    return this.#devices;
  }

  get root(): Root {
    if (this.#root === undefined) throw new Error('the world has not begun');
    return this.#root;
  }

  get administrator(): TestAdministrator {
    return this.root.administrator;
  }

  get wires(): SimulatedWires {
    return this.meeting.wires;
  }

  /** The ordered log. */
  get controlLog(): InProcessLog {
    return this.meeting.controlLog;
  }

  get logWeather(): ReadonlyMap<string, LogWeather> {
    return this.meeting.logWeather;
  }

  /** A machine for a device, that is not started yet. */
  addDevice(name: string, token: string): DeviceMachine {
    const machine = new DeviceMachine({
      name,
      token,
      suite: CHEAP_SUITE_ID,
      clock: new MachineClock(this.timeline),
      disk: this.#disk(name),
      prng: this.#prng(name),
      lines: this.lines,
      suites: this.#suites,
      write: (line) => this.log.push(line),
    });
    this.#devices.push(machine);
    return machine;
  }

  /** Starts the process of a node. Now and then its operator gives it a new file before. @throws what starting a node throws */
  async startNode(node: NodeMachine): Promise<void> {
    if (node.file === undefined || this.prng.chance(NEW_FILE)) node.file = this.root.signed;
    await node.start(node.file);
  }

  /** Makes another node with an empty store and has the root name it; one of that id is named no more. */
  async addNode(id: string): Promise<NodeMachine> {
    const house = await this.#build(id, 1);
    this.#houses.set(id, house);
    this.#name();
    return house.machines[0] as NodeMachine;
  }

  /** Has the root name a node no more. */
  removeNode(id: string): void {
    this.#houses.delete(id);
    this.#name();
  }

  /** Brings a node the newest descriptor. @throws what the node answers */
  async bringDescriptor(node: NodeMachine): Promise<void> {
    const connection = this.lines.connect({ name: 'operator', life: new Life() }, node.address);
    try {
      await connection.putDescriptor(this.root.signed);
    } finally {
      connection.close();
    }
  }

  /** The outcome of a promise; time passes meanwhile. @throws when it takes longer than `ms` */
  async settled<T>(ms: number, promise: Promise<T>): Promise<T> {
    let isSettled = false;
    const note = (): void => {
      isSettled = true;
    };
    promise.then(note, note);
    await this.timeline.pass(ms, () => isSettled);
    if (!isSettled) throw new Error(`not done within ${ms} ms`);
    return promise;
  }

  async #begin(): Promise<void> {
    const { nodes, threshold, shared = 0, policy } = this.#options;
    for (let i = 0; i < nodes; i++) {
      const id = `node-${i + 1}`;
      this.#houses.set(id, await this.#build(id, i < shared ? 2 : 1));
    }
    const caller = { name: 'administrator', life: new Life() };
    this.#root = new Root({
      prng: this.#prng('network'),
      suites: this.#suites.ids(),
      threshold,
      nodes: this.#named(),
      now: () => WORLD_BEGINNING_MS + this.timeline.now,
      connect: (address) => this.lines.connect(caller, address),
    });
    await Promise.all(this.nodes.map(async (node) => this.startNode(node)));
    const inForce: Policy = { ...DEFAULT_POLICY, allowedSuites: [CHEAP_SUITE_ID], ...policy };
    await this.administrator.submit({ kind: 'policy', policy: inForce });
  }

  /** A node with keys of its own, that is not started yet. */
  async #build(id: string, processes: number): Promise<NodeHouse> {
    const { timeline } = this;
    const room = new NodeRoom({
      timeline,
      prng: this.#prng(`${id} room ${this.#machines.length}`),
      disk: this.#disk(`${id} ${this.#machines.length}`),
      isShared: processes > 1,
    });
    const machines = Array.from({ length: processes }, () => this.#machine(id, room));
    const [first] = machines;
    if (first === undefined) throw new Error('a node is at least one process');
    const addresses = machines.map(({ address }) => address);
    return { machines, named: { identity: await first.identify(), addresses } };
  }

  #machine(id: string, room: NodeRoom): NodeMachine {
    const number = this.#machines.length;
    const name = `${id} machine ${number}`;
    const machine: NodeMachine = new NodeMachine({
      id,
      name,
      address: `${id}:${FIRST_PORT + number}`,
      clock: new MachineClock(this.timeline),
      room,
      prng: this.#prng(name),
      lines: this.lines,
      suites: this.#suites,
      mood: new Mood(this.#prng(`${name} lies`), (lie) => this.occurrences.note(`lie:${lie}`)),
      snapshotEvery: this.#options.snapshotEvery,
      join: (member) => this.meeting.join(member),
      write: (line) => {
        this.log.push(line);
        room.log.push(line);
      },
      onFailed: (error) => this.onNodeFailed(machine, error),
    });
    this.#machines.push(machine);
    return machine;
  }

  #name(): void {
    this.root.name(this.#named());
  }

  #named(): readonly NamedNode[] {
    return [...this.#houses.values()].map(({ named }) => named);
  }

  #disk(name: string): CrashDisk {
    return new CrashDisk({
      timeline: this.timeline,
      prng: this.#prng(`${name} disk`),
      sealed: this.sealed,
      note: (event) => this.occurrences.note(`disk:${event}`),
    });
  }

  #prng(name: string): Prng {
    return new Prng(`${this.#options.seed} ${name}`);
  }
}
