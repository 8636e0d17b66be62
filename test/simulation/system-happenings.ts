import { CALM } from '@symmetra/testing';
import type { DeviceMachine, LogWeather, NodeMachine, Prng, World } from '@symmetra/testing';
import { Deck } from './system-deck.js';

/** What befalls a system, by name: each must really happen now and then. */
export const HAPPENINGS = [
  'node-crash',
  'node-crash-writing',
  'node-stop',
  'device-crash',
  'device-crash-writing',
  'device-close',
  'disk-slow',
  'disk-full',
  'clock-off',
  'node-frozen',
  'device-frozen',
  'device-cut-off',
  'replica-cut-off',
  'store-crash',
  'bad-lines',
  'line-cut',
  'bad-wires',
  'partition',
  'log-away',
  'log-lossy',
  'log-truncated',
  'log-recreated',
  'liar',
] as const;
type Happening = (typeof HAPPENINGS)[number];

const SHORTEST_MS = 200;
const LONGEST_MS = 20_000;
const FURTHEST_CLOCK_MS = [1000, 30_000, 600_000, 2 * 3_600_000] as const;
const SLOW = { fastest: 10, slowest: 500 } as const;
const GOOD = { fastest: 0, slowest: 2 } as const;
const CLEAR: LogWeather = { slowest: 3, loss: 0, away: false };
const FINE = { slowest: 3, breaks: 0 } as const;

/** Puts down and takes up the processes of a system. */
export interface Keeper {
  /** Has the process of a node started again when it may. */
  reviveNode(node: NodeMachine, afterMs: number): void;
  reviveDevice(machine: DeviceMachine, afterMs: number): void;
}

/** Lets things befall a system, each for a while. */
export class SystemHappenings {
  readonly #world: World;
  readonly #prng: Prng;
  readonly #keeper: Keeper;
  /** The one node that may lie. */
  readonly #liar: NodeMachine;
  readonly #deck: Deck<Happening>;
  readonly #endings = new Set<() => void>();

  constructor(world: World, prng: Prng, keeper: Keeper) {
    this.#world = world;
    this.#prng = prng;
    this.#keeper = keeper;
    this.#liar = prng.pick(world.nodes);
    this.#deck = new Deck(HAPPENINGS, prng);
  }

  /** Something befalls the system. */
  begin(): void {
    const happening = this.#deck.draw();
    if (this.#befall(happening)) this.#world.occurrences.note(`happening:${happening}`);
  }

  /** Everything is well again, but for processes that are on their way. */
  end(): void {
    for (const { disk } of [...this.#world.machines, ...this.#world.devices]) disk.strike = undefined;
    for (const ending of this.#endings) ending();
    this.#endings.clear();
  }

  #befall(happening: Happening): boolean {
    const { nodes, devices, lines, wires, controlLog } = this.#world;
    const prng = this.#prng;
    const node = prng.pick(nodes);
    const machine = prng.pick(devices);
    const either = prng.chance(0.5) ? node : machine;
    switch (happening) {
      case 'node-crash':
        return this.#crashNode(node);
      case 'node-crash-writing':
        node.disk.strike = () => void this.#crashNode(node);
        return true;
      case 'node-stop':
        if (node.running === undefined) return false;
        void node.stop().then(() => this.#keeper.reviveNode(node, this.#while()));
        return true;
      case 'device-crash':
        return this.#crashDevice(machine);
      case 'device-crash-writing':
        machine.disk.strike = () => void this.#crashDevice(machine);
        return true;
      case 'device-close':
        if (machine.device === undefined) return false;
        void machine.stop().then(() => this.#keeper.reviveDevice(machine, this.#while()));
        return true;
      case 'disk-slow':
        either.disk.speed = SLOW;
        this.#later(() => {
          either.disk.speed = GOOD;
        });
        return true;
      case 'disk-full':
        either.disk.full = true;
        this.#later(() => {
          either.disk.full = false;
        });
        return true;
      case 'clock-off':
        either.clock.offMs = prng.pick(FURTHEST_CLOCK_MS) * (prng.chance(0.5) ? 1 : -1);
        this.#later(() => {
          either.clock.offMs = 0;
        });
        return true;
      case 'node-frozen':
        return this.#freeze(node);
      case 'device-frozen':
        return this.#freeze(machine);
      case 'device-cut-off':
        for (const { id } of nodes) lines.cut(machine.name, id);
        this.#later(() => lines.mend());
        return true;
      case 'replica-cut-off':
        return this.#cutOff();
      case 'store-crash':
        return this.#crashStore();
      case 'bad-lines':
        lines.weather = { slowest: prng.pick([20, 200, 1500]), breaks: prng.pick([0.01, 0.1]) };
        this.#later(() => {
          lines.weather = FINE;
        });
        return true;
      case 'line-cut':
        lines.cut(machine.name, node.id);
        this.#later(() => lines.mend());
        return true;
      case 'bad-wires':
        wires.faults = {
          ...CALM,
          loss: 0.1,
          repetition: 0.1,
          corruption: 0.05,
          delay: 0.3,
          longestDelay: 300,
        };
        this.#later(() => {
          wires.faults = CALM;
        });
        return true;
      case 'partition':
        wires.partition(
          nodes.map(({ id }) => id).filter((id) => id !== node.id),
          [node.id],
        );
        this.#later(() => wires.heal());
        return this.#logWeather(node, { away: true });
      case 'log-away':
        return this.#logWeather(node, { away: true });
      case 'log-lossy':
        return nodes.every((one) => this.#logWeather(one, { loss: 0.4, slowest: 300 }));
      case 'log-truncated':
        if (controlLog.entries.length === 0) return false;
        controlLog.tamper(controlLog.entries.slice(0, prng.below(controlLog.entries.length)));
        return true;
      case 'log-recreated':
        controlLog.recreate();
        return true;
      case 'liar':
        if (this.#liar.mood.isLying || this.#liar.isRetired) return false;
        this.#liar.mood.isLying = true;
        this.#later(() => {
          this.#liar.mood.isLying = false;
        });
        return true;
    }
  }

  #crashNode(node: NodeMachine): boolean {
    if (!node.alive || node.isRetired) return false;
    node.crash();
    this.#keeper.reviveNode(node, this.#while());
    return true;
  }

  #crashDevice(machine: DeviceMachine): boolean {
    if (!machine.alive) return false;
    machine.crash();
    this.#keeper.reviveDevice(machine, this.#while());
    return true;
  }

  /** The process is stopped for a while, and goes on as if nothing had been. */
  #freeze({ life }: NodeMachine | DeviceMachine): boolean {
    if (!life.lasts) return false;
    life.sleep();
    this.#later(() => life.wake());
    return true;
  }

  /** One of the processes of a node does not reach the store, the other nodes, or neither. */
  #cutOff(): boolean {
    const replicas = this.#world.nodes.filter(({ room }) => room.server !== undefined);
    if (replicas.length === 0) return false;
    const { cutOff } = this.#prng.pick(replicas);
    const [wires, store] = this.#prng.pick([
      [true, false],
      [false, true],
      [true, true],
    ] as const);
    Object.assign(cutOff, { wires, store });
    this.#later(() => Object.assign(cutOff, { wires: false, store: false }));
    return true;
  }

  /** The server of a store dies, and comes back with what it had acknowledged. */
  #crashStore(): boolean {
    const [server] = this.#world.nodes.flatMap(({ room }) => room.server ?? []);
    if (server?.isUp !== true) return false;
    server.crash();
    this.#later(() => server.start());
    return true;
  }

  #logWeather(node: NodeMachine, change: Partial<LogWeather>): boolean {
    const weather = this.#world.logWeather.get(node.id);
    if (weather === undefined) return false;
    Object.assign(weather, change);
    // Not what it was before: that may have been the weather of another happening, which is over by then.
    this.#later(() => Object.assign(weather, CLEAR));
    return true;
  }

  #while(): number {
    return this.#prng.between(SHORTEST_MS, LONGEST_MS);
  }

  /** Ends something after a while, or when everything ends. */
  #later(ending: () => void): void {
    const end = (): void => {
      cancel();
      this.#endings.delete(end);
      ending();
    };
    const cancel = this.#world.timeline.after(this.#while(), end);
    this.#endings.add(end);
  }
}
