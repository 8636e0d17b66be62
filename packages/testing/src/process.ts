import { SymmetraError, equalConstantTime } from '@symmetra/crypto';
import { encodeState } from '@symmetra/protocol';
import type { SimulatedDisk, Writes } from './disk.js';
import type { CrashPoint } from './faults.js';

/** The code of one party: it reacts to messages and to time, and acts through its process. */
export interface Actor {
  receive(from: string, frame: Uint8Array): void;
  /** Called every few ticks: sends again, expires, begins what is to be begun. */
  tick(): void;
  /** Whether it has nothing left to do. */
  idle(): boolean;
}

/** Makes an actor from what its process finds on the disk. */
export type Boot = (process: SimulatedProcess) => Actor;

/** One step of a party: persisted first, sent second, wiped last. */
export interface Commit {
  readonly writes: Writes;
  readonly sends?: readonly { readonly to: string; readonly frame: Uint8Array }[];
  readonly wipes?: readonly { wipe(): void }[];
}

/** What a process needs of the simulation around it. */
export interface Surroundings {
  now(): number;
  random(length: number): Uint8Array;
  transmit(from: string, to: string, frame: Uint8Array): void;
  /** Whether the process dies here. */
  crashes(name: string, point: CrashPoint): boolean;
  committed(name: string, entry: string, before: object | undefined, after: object | undefined): void;
  refused(name: string, error: SymmetraError): void;
}

/** Comparing memory with the disk is what a run spends most of its time on. */
const REFUSALS_PER_COMPARISON = 8;

/** Thrown where a process dies; nothing but the process itself catches it. */
class Crash extends Error {}

/**
 * A party that can die at every point of a step. What it has in memory is what it persisted: after every commit that
 * wipes something, every damaged message and every few refusals both are compared, so a state that changed without a
 * commit is found out, and so is a secret that was wiped too early (encoding it throws SECRET_WIPED).
 */
export class SimulatedProcess {
  readonly name: string;
  readonly disk: SimulatedDisk;
  readonly #surroundings: Surroundings;
  readonly #boot: Boot;
  #memory = new Map<string, object>();
  #actor: Actor | undefined;
  #commits = 0;
  #refusals = 0;

  constructor(name: string, disk: SimulatedDisk, boot: Boot, surroundings: Surroundings) {
    this.name = name;
    this.disk = disk;
    this.#boot = boot;
    this.#surroundings = surroundings;
  }

  get up(): boolean {
    return this.#actor !== undefined;
  }

  get idle(): boolean {
    return this.#actor?.idle() ?? false;
  }

  get now(): number {
    return this.#surroundings.now();
  }

  /** The state under that name, as it is in memory. */
  get<State extends object>(name: string): State | undefined {
    return this.#memory.get(name) as State | undefined;
  }

  /** The names of the states that begin with `prefix`. */
  names(prefix: string): readonly string[] {
    return [...this.#memory.keys()].filter((name) => name.startsWith(prefix));
  }

  random(length: number): Uint8Array {
    return this.#surroundings.random(length);
  }

  send(to: string, frame: Uint8Array): void {
    this.#surroundings.transmit(this.name, to, frame);
    this.#crashAt('after-send');
  }

  /** Persists first, sends second, wipes last. */
  commit({ writes, sends = [], wipes = [] }: Commit): void {
    this.#crashAt('before-persist');
    this.disk.write(writes);
    this.#commits += 1;
    const before = Object.keys(writes).map((name) => [name, this.#memory.get(name)] as const);
    for (const [name, state] of Object.entries(writes)) {
      if (state === undefined) this.#memory.delete(name);
      else this.#memory.set(name, state);
    }
    for (const [name, old] of before) this.#surroundings.committed(this.name, name, old, writes[name]);
    this.#crashAt('after-persist');
    for (const { to, frame } of sends) this.#surroundings.transmit(this.name, to, frame);
    this.#crashAt('after-send');
    for (const secret of wipes) secret.wipe();
    if (wipes.length > 0) this.#compare(Object.keys(writes));
  }

  /** Starts, or starts again after a crash, from the disk alone. Returns whether it stays up. */
  start(): boolean {
    this.#memory = new Map(this.disk.names().map((name) => [name, this.disk.read(name) as object]));
    return this.#survives(() => {
      this.#actor = this.#boot(this);
    });
  }

  /** The process ends; what was in memory is gone. */
  stop(): void {
    this.#actor = undefined;
    this.#memory.clear();
  }

  /** Lets the actor react. Returns whether the process is still up. */
  receive(from: string, frame: Uint8Array, altered: boolean): boolean {
    const commits = this.#commits;
    const survived = this.#survives(() => this.#actor?.receive(from, frame));
    if (survived && altered) {
      if (this.#commits !== commits) throw new Error(`a damaged message made ${this.name} commit`);
      this.#compare(this.disk.names());
    }
    return survived;
  }

  tick(): boolean {
    return this.#survives(() => this.#actor?.tick());
  }

  #survives(action: () => void): boolean {
    try {
      action();
      return true;
    } catch (error) {
      if (error instanceof Crash) {
        this.stop();
        return false;
      }
      if (!(error instanceof SymmetraError) || error.code === 'SECRET_WIPED') throw error;
      this.#surroundings.refused(this.name, error);
      this.#refusals += 1;
      if (this.#refusals % REFUSALS_PER_COMPARISON === 0) this.#compare(this.disk.names());
      return true;
    }
  }

  #crashAt(point: CrashPoint): void {
    if (this.#surroundings.crashes(this.name, point)) throw new Crash(point);
  }

  #compare(names: readonly string[]): void {
    for (const name of names) {
      const stored = this.disk.bytes(name);
      const held = this.#memory.get(name);
      const same =
        stored === undefined || held === undefined
          ? stored === undefined && held === undefined
          : equalConstantTime(stored, encodeState(held));
      if (!same) throw new Error(`${this.name} holds another ${name} in memory than it persisted`);
    }
  }
}
