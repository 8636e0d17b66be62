import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import type { Standing } from './group-fleet-member.js';
import type { Order, OrderAnswer, SentOrder } from './group-fleet-orders.js';
import type { HouseholdProgram } from './group-fleet-program.js';

/** Milliseconds after which a process that says nothing counts as hanging. */
const PATIENCE_MS = 60_000;

/** Why an order was not carried out: the device's code, or KILLED. */
export class OrderFailed extends Error {
  readonly code: string;

  constructor(code: string, text: string) {
    super(`${code}: ${text}`);
    this.code = code;
  }
}

/** Members that share a process, which can be killed and started again. */
export class GroupHousehold {
  readonly names: readonly string[];
  readonly #program: HouseholdProgram;
  readonly #folder: string;
  readonly #place: number;
  readonly #asked = new Map<number, (answer: OrderAnswer) => void>();
  #starts = 0;
  #orders = 0;
  #child: ChildProcess | undefined;

  /** @param place of the process among all */
  constructor(program: HouseholdProgram, folder: string, place: number, names: readonly string[]) {
    this.#program = program;
    this.#folder = folder;
    this.#place = place;
    this.names = names;
  }

  async start(): Promise<void> {
    this.#starts += 1;
    const { path, execArgv } = this.#program;
    const child = fork(path, [this.#folder, `${this.#place}-${this.#starts}`], {
      execArgv: [...execArgv],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    await new Promise<void>((resolve, reject) => {
      child.once('message', () => resolve());
      child.once('exit', () => reject(new Error('a process of members did not start')));
    });
    child.on('message', (answer: OrderAnswer) => this.#asked.get(answer.id)?.(answer));
    child.once('exit', () => this.#onExit());
    this.#child = child;
  }

  /** The next process of the same members. */
  async reopen(): Promise<void> {
    await this.start();
    await this.ask({ task: 'open', names: this.names });
  }

  /** SIGKILL, in the middle of whatever it does. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    await new Promise((resolve) => {
      child.once('exit', resolve);
      child.kill('SIGKILL');
    });
  }

  /** @throws OrderFailed */
  async ask<T>(order: Order): Promise<T> {
    const child = this.#child;
    if (child === undefined) throw new OrderFailed('KILLED', 'the process is not there');
    this.#orders += 1;
    const id = this.#orders;
    try {
      return await new Promise<T>((resolve, reject) => {
        const late = setTimeout(() => reject(new Error(`${order.task} hangs`)), PATIENCE_MS);
        this.#asked.set(id, (answer) => {
          clearTimeout(late);
          if ('code' in answer) reject(new OrderFailed(answer.code, `${order.task}: ${answer.text}`));
          else resolve(answer.value as T);
        });
        const sent: SentOrder = { id, order };
        child.send(sent, (error) => {
          if (error !== null) this.#asked.get(id)?.({ id, code: 'KILLED', text: error.message });
        });
      });
    } finally {
      this.#asked.delete(id);
    }
  }

  async standings(): Promise<{ readonly late: readonly string[]; readonly standings: readonly Standing[] }> {
    return this.ask({ task: 'standings' });
  }

  #onExit(): void {
    for (const [id, answer] of this.#asked) answer({ id, code: 'KILLED', text: 'the process ended' });
  }
}
