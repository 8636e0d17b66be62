import { setTimeout as sleep } from 'node:timers/promises';
import type { NegotiateOptions } from '@symmetra/sdk';
import type { Prng } from '@symmetra/testing';
import type { ClusterWorld } from './cluster-world.js';
import type { Member } from './fleet-member.js';

type Task = 'negotiate' | 'ratchet' | 'stage' | 'enrol' | 'revoke' | 'look';

/** What workers do, in percent. */
const TASKS: readonly (readonly [Task, number])[] = [
  ['negotiate', 58],
  ['ratchet', 16],
  ['stage', 8],
  ['enrol', 6],
  ['revoke', 4],
  ['look', 8],
];
const WORKERS = 2;
const PAUSE_MS = 300;
const WAIT_MS = 4000;
const ENROL_ATTEMPTS = 20;
/** Devices that are revoked at the end, and those that come meanwhile. */
const MOST_REVOKED = 2;
const MOST_NEW = 3;

/**
 * Devices that do everything that devices do, until they are told to end: keys in both directions, ratchet steps,
 * enrolments and revocations. What comes of it stands in the histories.
 */
export class ClusterLoad {
  readonly #world: ClusterWorld;
  readonly #prng: Prng;
  /** Those that are never revoked. */
  readonly #kept: ReadonlySet<Member>;
  #running: Promise<unknown> = Promise.resolve();
  #ends = false;
  #enrolled = 0;
  #revoked = 0;

  constructor(world: ClusterWorld, prng: Prng, kept: readonly Member[]) {
    this.#world = world;
    this.#prng = prng;
    this.#kept = new Set(kept);
  }

  start(): void {
    this.#running = Promise.all(Array.from({ length: WORKERS }, async () => this.#work()));
    // It is told at the end.
    this.#running.catch(() => undefined);
  }

  /** Fulfilled when everything that was begun has come to its end. */
  async end(): Promise<void> {
    this.#ends = true;
    await this.#running;
  }

  async #work(): Promise<void> {
    while (!this.#ends) {
      await this.#perform(this.#draw());
      await sleep(PAUSE_MS);
    }
  }

  #draw(): Task {
    let rest = this.#prng.below(100);
    const [task] = TASKS.find(([, weight]) => (rest -= weight) < 0) ?? ['negotiate'];
    return task;
  }

  async #perform(task: Task): Promise<void> {
    const { members, occurrences } = this.#world;
    const prng = this.#prng;
    const who = prng.pick(members);
    switch (task) {
      case 'negotiate': {
        const whom = prng.pick(members.filter((member) => member !== who));
        occurrences.note(`negotiate: ${await who.negotiate(whom, this.#options())}`);
        break;
      }
      case 'ratchet':
        occurrences.note(`ratchet: ${await who.ratchet()}`);
        break;
      case 'stage':
        occurrences.note(`stage: ${await who.ratchet({ stage: 'service' })}`);
        break;
      case 'enrol':
        if (this.#enrolled < MOST_NEW) await this.#enrol();
        break;
      case 'revoke':
        if (this.#revoked < MOST_REVOKED) await this.#revoke(who);
        break;
      case 'look': {
        const node = prng.pick(this.#world.cluster.nodeIds);
        const seen = this.#world.control.lookAt(node, this.#world.names).then(
          () => 'ok',
          (error: unknown) => String((error as { readonly code?: unknown }).code),
        );
        occurrences.note(`look: ${await seen}`);
        break;
      }
    }
  }

  #options(): NegotiateOptions {
    const prng = this.#prng;
    return { wait: WAIT_MS, directKem: prng.chance(0.4), keyLength: prng.pick([16, 32, 64]) };
  }

  async #enrol(): Promise<void> {
    const { control, occurrences } = this.#world;
    this.#enrolled += 1;
    const name = `new-${this.#enrolled}`;
    const token = await control.token();
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#world.join(name, token);
        occurrences.note('enrol');
        return;
      } catch (error) {
        const { code } = error as { readonly code?: unknown };
        occurrences.note(`enrol: ${String(code)}`);
        if (attempt === ENROL_ATTEMPTS) throw error;
        await sleep(PAUSE_MS);
      }
    }
  }

  async #revoke(member: Member): Promise<void> {
    if (member.isRevoked || this.#kept.has(member)) return;
    this.#revoked += 1;
    member.isRevoked = true;
    await this.#world.control.revoke(member.id);
    this.#world.devices.note(member.name, { kind: 'revoked' });
    this.#world.occurrences.note('revoke');
  }
}
