import { InProcessLog, LinkedBus } from '@symmetra/bus';
import { signatureKeygen, suites, toHex } from '@symmetra/crypto';
import type { SuiteTable } from '@symmetra/crypto';
import { describeIdentity } from '@symmetra/node';
import type { NodeIdentity } from '@symmetra/node';
import { DEFAULT_POLICY, signDescriptor } from '@symmetra/protocol';
import type { Descriptor, Policy, SignedDescriptor } from '@symmetra/protocol';
import { TestAdministrator } from '../administrator.js';
import { CHEAP_SUITE_ID, cheapSuite } from '../cheap-suite.js';
import type { Occurrences } from '../occurrences.js';
import { Prng } from '../prng.js';
import { SealLedger } from '../seal-ledger.js';
import { SimulatedWires } from '../simulated-wires.js';
import { CrashDisk } from './crash-disk.js';
import { DeviceMachine } from './device-machine.js';
import { Life } from './life.js';
import { Lines } from './lines.js';
import { Mood } from './lying-node.js';
import { LogPlace } from './log-place.js';
import type { LogWeather } from './log-place.js';
import { MachineClock, WORLD_BEGINNING_MS } from './machine-clock.js';
import { NodeMachine } from './node-machine.js';
import type { NodeMember, NodePlace } from './node-machine.js';
import { SealedValues } from './sealed-values.js';
import { Timeline } from './timeline.js';

/** The suite in which token secrets are sealed to the nodes; every other key of a world is of the cheap suite. */
const TOKEN_SUITE = 1;
const SETUP_MS = 10_000;
const FIRST_PORT = 7401;
const INSTANCE_BYTES = 4;
/** Links are renewed often, so that it falls together with everything else. */
const RENEW_MS = 45_000;

/** How a world is made. */
export interface WorldOptions {
  readonly seed: string;
  readonly nodes: number;
  readonly threshold: number;
  readonly policy?: Partial<Policy>;
  readonly occurrences: Occurrences;
}

/**
 * A whole network in one process: nodes, devices and an administrator, each on a machine of its own, on one time, one
 * network, one kind of disk. One seed decides everything.
 */
export class World {
  readonly prng: Prng;
  readonly timeline = new Timeline();
  readonly lines: Lines;
  readonly occurrences: Occurrences;
  readonly seals: SealLedger;
  readonly sealed = new SealedValues();
  readonly log: string[] = [];
  /** Requests between nodes that failed for no reason that has a name. */
  readonly failures: string[] = [];
  readonly nodes: readonly NodeMachine[];
  readonly #seed: string;
  /** The ordered log, and how each node reaches it. */
  readonly controlLog: InProcessLog;
  readonly logWeather = new Map<string, LogWeather>();
  readonly wires: SimulatedWires;
  readonly #suites: SuiteTable;
  readonly #devices: DeviceMachine[] = [];
  #administrator: TestAdministrator | undefined;
  #signed: SignedDescriptor | undefined;
  #descriptor: Descriptor | undefined;

  private constructor({ seed, nodes, occurrences }: WorldOptions) {
    this.#seed = seed;
    this.prng = new Prng(seed);
    this.occurrences = occurrences;
    this.seals = new SealLedger([suites.get(TOKEN_SUITE), cheapSuite]);
    this.#suites = this.seals.suites;
    this.lines = new Lines({
      timeline: this.timeline,
      prng: this.#prng('lines'),
      note: (event) => occurrences.note(`line:${event}`),
    });
    const clock = new MachineClock(this.timeline).of(new Life());
    this.wires = new SimulatedWires({
      clock,
      prng: this.#prng('wires'),
      onFault: (fault) => occurrences.note(`wire:${fault}`),
    });
    this.controlLog = new InProcessLog(clock);
    this.nodes = Array.from({ length: nodes }, (_, i) => this.#node(`node-${i + 1}`, FIRST_PORT + i));
  }

  /** Starts all nodes, under the default policy with some changes. */
  static async create(options: WorldOptions): Promise<World> {
    const world = new World(options);
    await world.settled(SETUP_MS, world.#begin(options));
    return world;
  }

  get devices(): readonly DeviceMachine[] {
    return this.#devices;
  }

  get administrator(): TestAdministrator {
    if (this.#administrator === undefined) throw new Error('the world has not begun');
    return this.#administrator;
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

  /** Starts the process of a node. @throws what starting a node throws */
  async startNode(node: NodeMachine): Promise<void> {
    if (this.#signed === undefined) throw new Error('the world has not begun');
    await node.start(this.#signed);
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

  async #begin({ threshold, policy }: WorldOptions): Promise<void> {
    const identities: NodeIdentity[] = [];
    for (const node of this.nodes) identities.push(await node.identify());
    const prng = this.#prng('network');
    const root = signatureKeygen(prng.bytes(32));
    const administrator = signatureKeygen(prng.bytes(32));
    const descriptor: Descriptor = {
      networkId: prng.bytes(16),
      version: 1,
      nodes: identities.map((identity, i) =>
        describeIdentity(identity, [this.nodes[i]?.address ?? ''], 'simulation'),
      ),
      suites: this.#suites.ids(),
      threshold,
      administrators: [administrator.publicKey],
      administratorThreshold: 1,
    };
    this.#descriptor = descriptor;
    this.#signed = signDescriptor(descriptor, root.secretKey, root.publicKey);
    const caller = { name: 'administrator', life: new Life() };
    const now = (): number => WORLD_BEGINNING_MS + this.timeline.now;
    this.#administrator = new TestAdministrator(descriptor, root.publicKey, administrator, now, {
      connect: (address) => this.lines.connect(caller, address),
      random: (length) => prng.bytes(length),
    });
    await Promise.all(this.nodes.map(async (node) => this.startNode(node)));
    const inForce: Policy = { ...DEFAULT_POLICY, allowedSuites: [CHEAP_SUITE_ID], ...policy };
    await this.#administrator.submit({ kind: 'policy', policy: inForce });
  }

  #node(id: string, port: number): NodeMachine {
    return new NodeMachine({
      id,
      address: `${id}:${port}`,
      clock: new MachineClock(this.timeline),
      disk: this.#disk(id),
      prng: this.#prng(id),
      lines: this.lines,
      suites: this.#suites,
      mood: new Mood(this.#prng(`${id} lies`), (lie) => this.occurrences.note(`lie:${lie}`)),
      join: (member) => this.#join(member),
      write: (line) => this.log.push(line),
    });
  }

  #join({ identity, life, clock, random }: NodeMember): NodePlace {
    const { id } = identity;
    if (this.#descriptor === undefined) throw new Error('the world has not begun');
    const { networkId, nodes } = this.#descriptor;
    const address = { node: id, instance: toHex(random(INSTANCE_BYTES)) };
    const wire = this.wires.join(address);
    life.onEnd(() => this.wires.kill(address));
    const bus = new LinkedBus({
      wire,
      clock,
      random,
      identity,
      context: { networkId, suites: this.#suites },
      peers: (nodeId) => nodes.find((node) => node.id === nodeId),
      suiteId: CHEAP_SUITE_ID,
      renewMs: RENEW_MS,
      onLink: ({ renewed }) => this.occurrences.note(renewed ? 'link:renewed' : 'link:made'),
      onRefused: ({ code }) => this.occurrences.note(`link-refused:${code}`),
      onFailure: (subject, error) => this.failures.push(`${id}, ${subject}: ${String(error)}`),
    });
    const weather = this.logWeather.get(id) ?? { slowest: 3, loss: 0, away: false };
    this.logWeather.set(id, weather);
    const log = new LogPlace({
      log: this.controlLog,
      life,
      timeline: this.timeline,
      prng: this.#prng(`${id} log`),
      weather,
      note: (event) => this.occurrences.note(`log:${event}`),
    });
    return { bus, log };
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
    return new Prng(`${this.#seed} ${name}`);
  }
}
