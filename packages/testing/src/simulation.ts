import type { SymmetraError } from '@symmetra/crypto';
import { SimulatedDisk } from './disk.js';
import { CALM, drawFaults } from './faults.js';
import type { CrashPoint, Faults } from './faults.js';
import { SimulatedNetwork } from './network.js';
import type { Parcel } from './network.js';
import type { Occurrences } from './occurrences.js';
import { Prng } from './prng.js';
import { SimulatedProcess } from './process.js';
import type { Boot, Surroundings } from './process.js';

/** Sees every state that a party persists. */
type CommitObserver = (
  party: string,
  entry: string,
  before: object | undefined,
  after: object | undefined,
) => void;

/** How long the two phases of a run may take, in ticks. */
interface Phases {
  /** Faults happen. */
  readonly stormy: number;
  /** Nothing goes wrong any more; everything must complete. */
  readonly fair: number;
}

const LONGEST_TICK_PERIOD = 13;
const SHORTEST_TICK_PERIOD = 7;
const LONGEST_DOWNTIME = 25;

/**
 * One run of a simulated world: parties with disks, a network, time in ticks, all from one seed. First a stormy phase,
 * then a fair one.
 */
export class Simulation {
  readonly prng: Prng;
  readonly occurrences: Occurrences;
  #faults: Faults;
  readonly #network: SimulatedNetwork;
  readonly #processes = new Map<string, SimulatedProcess>();
  readonly #agenda = new Map<number, (() => void)[]>();
  readonly #observers: CommitObserver[] = [];
  readonly #refusals: ((party: string, error: SymmetraError) => void)[] = [];
  readonly #arrived = new Map<string, number>();
  #sent = 0;
  #now = 0;

  constructor(seed: string, occurrences: Occurrences, faults?: Faults) {
    this.prng = new Prng(seed);
    this.occurrences = occurrences;
    this.#faults = faults ?? drawFaults(this.prng);
    this.#network = new SimulatedNetwork(this.prng, this.#faults, occurrences, (delay, parcel) =>
      this.#enqueue(delay, parcel),
    );
  }

  get now(): number {
    return this.#now;
  }

  /** Runs something when `delay` ticks have passed; at least one. */
  after(delay: number, action: () => void): void {
    const due = this.#now + Math.max(1, delay);
    const actions = this.#agenda.get(due);
    if (actions === undefined) this.#agenda.set(due, [action]);
    else actions.push(action);
  }

  observe(observer: CommitObserver): void {
    this.#observers.push(observer);
  }

  /** Sees every error that a protocol step threw, by the party that refused. */
  onRefusal(observer: (party: string, error: SymmetraError) => void): void {
    this.#refusals.push(observer);
  }

  /** Adds a party and starts it. */
  spawn(name: string, boot: Boot, disk = new SimulatedDisk()): SimulatedProcess {
    const process = new SimulatedProcess(name, disk, boot, this.#surroundings());
    this.#processes.set(name, process);
    this.#startUp(process);
    this.#scheduleTick(process, this.prng.between(SHORTEST_TICK_PERIOD, LONGEST_TICK_PERIOD));
    return process;
  }

  process(name: string): SimulatedProcess {
    const process = this.#processes.get(name);
    if (process === undefined) throw new Error(`no party is called ${name}`);
    return process;
  }

  /** A party dies now and comes back from `disk`, or from its own as it is then. */
  restart(name: string, disk?: SimulatedDisk): void {
    const process = this.process(name);
    process.stop();
    if (disk) process.disk.restore(disk);
    this.#recover(process);
  }

  /** The stormy phase, then the fair one. @throws when the parties are not idle in time */
  run({ stormy, fair }: Phases): void {
    this.#advance(stormy);
    this.calm();
    this.finish(fair);
  }

  /** Ends the faults. */
  calm(): void {
    this.#faults = CALM;
    this.#network.calm();
  }

  /** Lets time pass until every party is idle. @throws when that takes more than `ticks` */
  finish(ticks: number): void {
    for (let i = 0; i < ticks; i++) {
      if ([...this.#processes.values()].every((process) => process.up && process.idle)) return;
      this.#advance(1);
    }
    const busy = [...this.#processes.values()]
      .filter((process) => !process.idle)
      .map((process) => process.name);
    throw new Error(`not complete after ${ticks} fair ticks: ${busy.join(', ')}`);
  }

  /** Lets that many ticks pass. */
  advance(ticks: number): void {
    this.#advance(ticks);
  }

  #advance(ticks: number): void {
    const end = this.#now + ticks;
    while (this.#now < end) {
      this.#now += 1;
      const due = this.#agenda.get(this.#now) ?? [];
      this.#agenda.delete(this.#now);
      for (const action of due) action();
    }
  }

  #enqueue(delay: number, parcel: Parcel): void {
    this.#sent += 1;
    const number = this.#sent;
    this.after(delay, () => {
      const link = `${parcel.from}>${parcel.to}`;
      const latest = this.#arrived.get(link) ?? 0;
      if (number < latest) this.occurrences.note('fault:reordered');
      this.#arrived.set(link, Math.max(number, latest));
      this.#deliver(parcel);
    });
  }

  #deliver(parcel: Parcel): void {
    const process = this.#processes.get(parcel.to);
    if (!process?.up) return;
    if (!process.receive(parcel.from, parcel.frame, parcel.altered)) this.#recover(process);
  }

  #scheduleTick(process: SimulatedProcess, period: number): void {
    this.after(period, () => {
      this.#scheduleTick(process, period);
      if (process.up && !process.tick()) this.#recover(process);
    });
  }

  #recover(process: SimulatedProcess): void {
    this.after(this.prng.between(1, LONGEST_DOWNTIME), () => {
      if (!process.up) this.#startUp(process);
    });
  }

  #startUp(process: SimulatedProcess): void {
    if (!process.start()) this.#recover(process);
  }

  #surroundings(): Surroundings {
    return {
      now: () => this.#now,
      random: (length) => this.prng.bytes(length),
      transmit: (from, to, frame) => this.#network.transmit(from, to, frame),
      crashes: (name, point) => this.#crashes(name, point),
      committed: (party, entry, before, after) => {
        for (const observer of this.#observers) observer(party, entry, before, after);
      },
      refused: (party, error) => {
        this.occurrences.note(`refused:${error.code}`);
        for (const observer of this.#refusals) observer(party, error);
      },
    };
  }

  #crashes(name: string, point: CrashPoint): boolean {
    const crashes = this.prng.chance(this.#faults.crash);
    if (crashes) this.occurrences.note(`crash:${roleOf(name)}:${point}`);
    return crashes;
  }
}

/** A node's name begins with `node`; every other party is a device. */
function roleOf(name: string): 'node' | 'device' {
  return name.startsWith('node') ? 'node' : 'device';
}
