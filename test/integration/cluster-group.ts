import { setTimeout as sleep } from 'node:timers/promises';
import type { Prng } from '@symmetra/testing';
import type { ClusterWorld } from './cluster-world.js';
import type { Member } from './fleet-member.js';
import { untilAgreed } from './group-fleet-agreement.js';
import { GroupMember } from './group-fleet-member.js';
import { codeOf } from './group-fleet-orders.js';

const ATTEMPTS = 60;
const PAUSE_MS = 700;
/** What a change meets that was made already, and of which only the reply was lost. */
const DONE = new Map([
  ['add', 'MEMBER_TWICE'],
  ['remove', 'MEMBER_UNKNOWN'],
]);

/** One group of some devices: a change after the other, and messages, until it is told to end. */
export class ClusterGroup {
  readonly #world: ClusterWorld;
  readonly #prng: Prng;
  readonly #seats: ReadonlyMap<string, GroupMember>;
  readonly #inside: string[];
  #groupId = '';
  #epoch = 0;
  #ends = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(world: ClusterWorld, prng: Prng, members: readonly Member[]) {
    this.#world = world;
    this.#prng = prng;
    const household = { folder: world.folder, history: world.groups, process: 'clients' };
    this.#seats = new Map(members.map(({ name, device }) => [name, GroupMember.of(household, name, device)]));
    this.#inside = members.map(({ name }) => name);
  }

  async create(): Promise<void> {
    for (const name of this.#inside) this.#world.groups.note(name, { kind: 'in', above: 0 });
    const [, ...others] = this.#inside;
    const members = others.map((name) => this.#id(name));
    const { groupId } = await this.#manager.perform('create', async ({ group }) => group.create({ members }));
    this.#groupId = groupId;
    await this.#agreed();
  }

  start(): void {
    this.#running = Promise.all([this.#change(), this.#talk()]);
    // It is told at the end.
    this.#running.catch(() => undefined);
  }

  /** Everybody is in the group again and hears one more message. */
  async end(): Promise<void> {
    this.#ends = true;
    await this.#running;
    await this.#agreed();
    await this.#rotate();
    await this.#agreed();
    const message = await this.#manager.seal(this.#groupId);
    for (const name of this.#inside) {
      const seat = this.#seats.get(name);
      await seat?.open(message);
      seat?.finish(this.#groupId);
    }
  }

  get #manager(): GroupMember {
    const [first = ''] = this.#inside;
    return this.#seats.get(first) as GroupMember;
  }

  /** Somebody is put out and taken in again; the key changes in between. */
  async #change(): Promise<void> {
    while (!this.#ends) {
      const name = this.#prng.pick(this.#inside.slice(1));
      await this.#untilDone('remove', async () => this.#move('remove', name));
      this.#inside.splice(this.#inside.indexOf(name), 1);
      await this.#agreed();
      this.#world.groups.note(name, { kind: 'out', from: this.#epoch });
      await this.#rotate();
      await this.#agreed();
      await sleep(PAUSE_MS);
      this.#world.groups.note(name, { kind: 'in', above: this.#epoch });
      await this.#untilDone('add', async () => this.#move('add', name));
      this.#inside.push(name);
      await this.#agreed();
      await sleep(PAUSE_MS);
    }
  }

  async #move(task: 'add' | 'remove', name: string): Promise<void> {
    await this.#manager.perform(task, async ({ group }) => group[task](this.#groupId, [this.#id(name)]));
  }

  async #rotate(): Promise<void> {
    await this.#untilDone('rotate', async () => {
      await this.#manager.perform('rotate', async ({ group }) => group.rotate(this.#groupId));
    });
  }

  async #talk(): Promise<void> {
    while (!this.#ends) {
      const seat = this.#seats.get(this.#prng.pick(this.#inside));
      const outcome = await seat?.send(this.#groupId).then(() => 'ok', codeOf);
      this.#world.occurrences.note(`send: ${outcome}`);
      await sleep(PAUSE_MS);
    }
  }

  async #untilDone(task: string, make: () => Promise<void>): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const outcome = await make().then(() => 'ok', codeOf);
      this.#world.occurrences.note(`${task}: ${outcome}`);
      if (outcome === 'ok' || (attempt > 1 && outcome === DONE.get(task))) return;
      if (attempt === ATTEMPTS) throw new Error(`${task} was never done: ${outcome}`);
      await sleep(PAUSE_MS);
    }
  }

  async #agreed(): Promise<void> {
    const seats = [...this.#seats.values()];
    const all = {
      names: [...this.#seats.keys()],
      standings: async () => ({ late: [], standings: seats.flatMap((seat) => seat.standings()) }),
    };
    this.#epoch = await untilAgreed({ households: [all], members: this.#inside, exempt: new Set() });
  }

  #id(name: string): string {
    return this.#seats.get(name)?.device.id ?? '';
  }
}
