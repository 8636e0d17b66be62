import { setTimeout as sleep } from 'node:timers/promises';
import type { Occurrences, Prng } from '@symmetra/testing';
import type { GroupFleet } from './group-fleet.js';
import { untilAgreed } from './group-fleet-agreement.js';
import { OrderFailed } from './group-fleet-household.js';
import type { GroupHousehold } from './group-fleet-household.js';
import type { Order } from './group-fleet-orders.js';

/** Milliseconds between two messages of one process. */
const TALK_MS = 700;
const ATTEMPTS = 40;
const ATTEMPT_PAUSE_MS = 500;
const KILLED_WITHIN_MS = 250;
/** What an order meets that an earlier process, or its deal, has carried out already. */
const DONE = new Map([
  ['add', 'MEMBER_TWICE'],
  ['remove', 'MEMBER_UNKNOWN'],
  ['leave', 'GROUP_UNKNOWN'],
]);

/** What somebody does with the group. */
type Change =
  | { readonly task: 'add' | 'remove'; readonly by: string; readonly whom: readonly string[] }
  | { readonly task: 'rotate' | 'leave'; readonly by: string };

/** A device that is out, and the epoch that a manager saw without it. */
interface Gone {
  readonly name: string;
  readonly from: number | undefined;
}

/** Whose process is killed, a random time after changes were begun. */
type Victim = 'network' | GroupHousehold;

interface GroupRunParts {
  readonly fleet: GroupFleet;
  readonly occurrences: Occurrences;
  readonly prng: Prng;
  /** How many devices are in the group at first. */
  readonly members: number;
}

/**
 * One group of the fleet's devices, from its creation to its end. Who does what, and when what is killed, follows from
 * the seed; how far it has come by then does not.
 */
export class GroupFleetRun {
  readonly #parts: GroupRunParts;
  readonly #members: string[];
  readonly #outside: string[];
  readonly #revoked = new Set<string>();
  /** Those that have gone, or are about to. */
  readonly #chosen = new Set<string>();
  /** In the order in which they deal, each in a process of its own. */
  readonly #managers: readonly [string, string];
  #groupId = '';
  /** Newest epoch on which all members agreed. */
  #epoch = 0;

  constructor(parts: GroupRunParts) {
    this.#parts = parts;
    const { names } = parts.fleet;
    this.#members = names.slice(0, parts.members);
    this.#outside = names.slice(parts.members);
    const [first = '', second = ''] = names;
    this.#managers = [first, second];
  }

  /** One group of many devices by one manager with another one, while the nodes are killed. */
  async create(): Promise<void> {
    const { fleet, prng } = this.#parts;
    const [first] = this.#managers;
    for (const name of this.#members) fleet.history.note(name, { kind: 'in', above: 0 });
    const id = (name: string): string => fleet.id(name);
    const members = this.#members.filter((name) => name !== first).map(id);
    const created = this.#ask<string>(first, {
      task: 'create',
      name: first,
      members,
      managers: this.#managers.map(id),
    });
    await this.#kill('network', prng.below(KILLED_WITHIN_MS));
    this.#groupId = await created;
    for (const household of fleet.households) await this.#talk(household);
    await this.#agreed();
  }

  /** Changes of every kind, several at the same time, while processes are killed. */
  async live(): Promise<void> {
    const { fleet, prng } = this.#parts;
    const [first, second] = this.#managers;
    const household = (): GroupHousehold => prng.pick(fleet.households);
    await this.#round(
      [
        { task: 'remove', by: first, whom: [this.#some(), this.#some()] },
        { task: 'rotate', by: second },
      ],
      household(),
    );
    await this.#round(
      [
        { task: 'add', by: second, whom: this.#newcomers(2) },
        { task: 'leave', by: this.#some() },
      ],
      'network',
    );
    await this.#round(
      [
        { task: 'remove', by: first, whom: [this.#some()] },
        { task: 'leave', by: this.#some() },
      ],
      fleet.householdOf(first),
    );
    await this.#round(
      [
        { task: 'add', by: first, whom: this.#newcomers(1) },
        { task: 'remove', by: second, whom: [this.#some()] },
      ],
      fleet.householdOf(second),
    );
    await this.#round([{ task: 'rotate', by: prng.pick(this.#managers) }], 'network', household());
  }

  /** GRP-10: somebody leaves while the first manager is gone; it comes back to an epoch of the second one. */
  async takeOver(): Promise<void> {
    const { fleet, occurrences } = this.#parts;
    const gone = fleet.householdOf(this.#managers[0]);
    const leaver = this.#some(gone);
    await gone.kill();
    await this.#change({ task: 'leave', by: leaver });
    await this.#settled(
      leaver,
      fleet.households.filter((one) => one !== gone),
    );
    occurrences.note('taken over');
    await this.#reopen(gone);
    await this.#agreed();
  }

  /** CTL-4: the group goes on without a device that the administrators revoked, and nobody asks for it. */
  async revoke(): Promise<void> {
    const { fleet, occurrences } = this.#parts;
    const boundMs = await fleet.boundMs();
    const name = this.#some();
    this.#revoked.add(name);
    await fleet.revoke(name);
    fleet.history.note(name, { kind: 'revoked', boundMs });
    this.#drop(name);
    await this.#settled(name, fleet.households);
    await this.#kill(fleet.householdOf(name), 0);
    await this.#agreed();
    occurrences.note('revoked');
  }

  /** Everybody hears one more message, and writes down what it holds. */
  async finish(): Promise<void> {
    const { fleet } = this.#parts;
    await Promise.all(fleet.households.map(async (household) => household.ask({ task: 'hush' })));
    const [first, second] = this.#managers;
    await this.#change({ task: 'rotate', by: second });
    await this.#agreed();
    await this.#carry(await this.#seal(first));
    for (const name of this.#members) {
      await this.#ask(name, { task: 'finish', name, groupId: this.#groupId });
    }
  }

  /** Begins changes, kills in the middle of them, and waits until they are all there. */
  async #round(changes: readonly Change[], ...victims: readonly Victim[]): Promise<void> {
    const { fleet, prng } = this.#parts;
    const message = await this.#seal(prng.pick(this.#members));
    await this.#carry(message);
    const added = changes.flatMap((change) => (change.task === 'add' ? change.whom : []));
    for (const name of added) fleet.history.note(name, { kind: 'in', above: this.#epoch });
    const begun = changes.map(async (change) => this.#change(change));
    const killed = victims.map(async (victim) => this.#kill(victim, prng.below(KILLED_WITHIN_MS)));
    await Promise.all([...begun, ...killed]);
    this.#members.push(...added);
    const goneBy = await Promise.all(begun);
    await this.#agreed();
    for (const { name, from = this.#epoch } of goneBy.flat()) fleet.history.note(name, { kind: 'out', from });
    await this.#carry(message);
  }

  /** Does it until it is done. @returns who is out then */
  async #change(change: Change): Promise<readonly Gone[]> {
    const { fleet, occurrences } = this.#parts;
    const { task, by } = change;
    const groupId = this.#groupId;
    const order: Order =
      'whom' in change
        ? { task: change.task, name: by, groupId, members: change.whom.map((name) => fleet.id(name)) }
        : { task: change.task, name: by, groupId };
    const epoch = await this.#untilDone(order, by);
    occurrences.note(task);
    const gone = change.task === 'remove' ? change.whom : task === 'leave' ? [by] : [];
    for (const name of gone) this.#drop(name);
    return gone.map((name) => ({ name, from: epoch }));
  }

  async #untilDone(order: Order, by: string): Promise<number | undefined> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#ask<number | undefined>(by, order);
      } catch (error) {
        if (!(error instanceof OrderFailed)) throw error;
        if (attempt > 1 && error.code === DONE.get(order.task)) return undefined;
        this.#parts.occurrences.note(`${order.task}: ${error.code}`);
        if (attempt === ATTEMPTS) throw error;
      }
      await sleep(ATTEMPT_PAUSE_MS);
    }
  }

  /** A device that is out of the group without a dealer's doing: the members agree on an epoch without it. */
  async #settled(name: string, households: readonly GroupHousehold[]): Promise<void> {
    await this.#agreed(households);
    this.#parts.fleet.history.note(name, { kind: 'out', from: this.#epoch });
  }

  /** Kills a process after a while, and starts it again. */
  async #kill(victim: Victim, afterMs: number): Promise<void> {
    const { fleet, occurrences, prng } = this.#parts;
    await sleep(afterMs);
    if (victim === 'network') {
      await fleet.killNetwork(prng.below(300));
      occurrences.note('network killed');
    } else {
      await victim.kill();
      await this.#reopen(victim);
    }
  }

  async #reopen(household: GroupHousehold): Promise<void> {
    await household.reopen();
    this.#parts.occurrences.note('household killed');
    await this.#talk(household);
  }

  async #talk(household: GroupHousehold): Promise<void> {
    await household.ask({ task: 'talk', groupId: this.#groupId, everyMs: TALK_MS });
  }

  /** @returns a message of a member, for others to carry */
  async #seal(name: string): Promise<string> {
    return this.#ask(name, { task: 'seal', name, groupId: this.#groupId });
  }

  /** Brings a message to every device, members or not, whether they opened it before or not. */
  async #carry(message: string): Promise<void> {
    const { fleet, occurrences } = this.#parts;
    const order: Order = { task: 'open-message', message };
    const codes = await Promise.all(
      fleet.households.map(async (household) => household.ask<readonly string[]>(order)),
    );
    for (const code of codes.flat()) occurrences.note(`open: ${code}`);
  }

  async #agreed(households: readonly GroupHousehold[] = this.#parts.fleet.households): Promise<void> {
    this.#epoch = await untilAgreed({ households, members: this.#members, exempt: this.#revoked });
  }

  /** A random member that is no manager, and is chosen once. */
  #some(away?: GroupHousehold): string {
    const { prng } = this.#parts;
    const others = this.#members.filter(
      (name) =>
        !this.#managers.includes(name) && !this.#chosen.has(name) && away?.names.includes(name) !== true,
    );
    const name = prng.pick(others);
    this.#chosen.add(name);
    return name;
  }

  /** Devices that are not in the group, some of which were before. */
  #newcomers(count: number): readonly string[] {
    const found = this.#outside.filter((name) => !this.#revoked.has(name)).slice(0, count);
    for (const name of found) {
      this.#outside.splice(this.#outside.indexOf(name), 1);
      this.#chosen.delete(name);
    }
    return found;
  }

  #drop(name: string): void {
    this.#members.splice(this.#members.indexOf(name), 1);
    this.#outside.push(name);
  }

  async #ask<T>(name: string, order: Order): Promise<T> {
    return this.#parts.fleet.householdOf(name).ask<T>(order);
  }
}
