import { SymmetraError, equalConstantTime } from '@symmetra/crypto';
import { Roster, decodeGroupHeader } from '@symmetra/protocol';
import type { ProtocolContext, RosterChanges } from '@symmetra/protocol';
import type { Change, Store } from '@symmetra/storage';
import { groupDealRow, groupRow } from '../rows/row-keys.js';
import { wipeState } from '../rows/wipe-state.js';
import { decodeGroupRow, encodeGroupRow } from './group-row.js';
import type { GroupRow } from './group-row.js';
import { HeldGroup } from './held-group.js';
import { decodeRosterChanges, readRoster } from './roster-pages.js';

/** Members of all groups that are held in memory at once; what was used longest ago leaves first. */
const MAX_HELD_MEMBERS = 200_000;
const MAX_HELD_GROUPS = 10_000;
const NO_CHANGES: RosterChanges = { vacated: [], taken: [] };

/**
 * The groups of this node. What concerns one group runs one after another; rows are read when they are needed, and
 * written here alone.
 */
export class GroupTable {
  readonly #store: Store;
  readonly #context: ProtocolContext;
  readonly #isShared: boolean;
  readonly #held = new Map<string, HeldGroup>();
  readonly #lanes = new Map<string, Promise<unknown>>();
  #members = 0;
  #stopped = false;

  /** @param isShared whether other processes of this node may change the rows too */
  constructor(store: Store, context: ProtocolContext, isShared: boolean) {
    this.#isShared = isShared;
    this.#store = store;
    this.#context = context;
  }

  /** Runs work on a group, behind all work on it that came before. */
  async run<Outcome>(groupHex: string, work: (group: HeldGroup) => Promise<Outcome>): Promise<Outcome> {
    const before = this.#lanes.get(groupHex) ?? Promise.resolve();
    const running = before.then(async () => work(await this.#hold(groupHex)));
    const settled = running.then(ignore, ignore);
    this.#lanes.set(groupHex, settled);
    try {
      return await running;
    } finally {
      if (this.#lanes.get(groupHex) === settled) this.#lanes.delete(groupHex);
      this.#makeRoom();
    }
  }

  /**
   * Stores the next state of a group together with other rows; from then on the group is in it. When that fails, the
   * group is read anew the next time.
   * @throws STATE_CONFLICT when another process of this node changed the group, and what the store throws
   */
  async commit(group: HeldGroup, next: GroupRow, others: readonly Change[] = []): Promise<void> {
    const value = encodeGroupRow(next);
    try {
      const key = groupRow(group.groupHex);
      if (!this.#isShared) await this.#store.commit([{ key, value }, ...others]);
      else if (!(await this.#store.commit([{ key, value, expect: group.version }, ...others]))) {
        throw new SymmetraError('STATE_CONFLICT', 'another process changed the group; try again');
      }
      group.row = next;
      if (!this.#isShared || (await this.#isNewest(group, key, value))) this.#keep(group);
      else this.#release(group);
    } catch (error) {
      this.#release(group);
      wipeState(group.row);
      throw error;
    } finally {
      value.fill(0);
    }
  }

  /**
   * Stores rows that leave the state of a group as it is, under the same condition.
   * @throws STATE_CONFLICT, and what the store throws
   */
  async commitBeside(group: HeldGroup, others: readonly Change[]): Promise<void> {
    if (group.row !== undefined) await this.commit(group, group.row, others);
    else if (!this.#isShared) await this.#store.commit(others);
  }

  /** What the pending deal changes. @throws BAD_ENCODING */
  async changesOf(group: HeldGroup): Promise<RosterChanges> {
    if (group.changes !== undefined) return group.changes;
    const stored = await this.#store.get(groupDealRow(group.groupHex));
    group.changes = stored === undefined ? NO_CHANGES : decodeRosterChanges(stored.value);
    return group.changes;
  }

  /** Runs a change of a roster that is held, whose rows are stored by now. */
  resize(group: HeldGroup, change: (roster: Roster) => void): void {
    const before = group.roster.size;
    change(group.roster);
    if (this.#held.get(group.groupHex) === group) this.#members += group.roster.size - before;
  }

  /** Forgets all groups: another process works on them now, or did so until now. */
  forget(): void {
    for (const [groupHex, group] of this.#held) {
      this.#release(group);
      if (!this.#lanes.has(groupHex)) wipeState(group.row);
    }
  }

  /** Whether the node stops: work that would go on by itself ends. */
  get isStopped(): boolean {
    return this.#stopped;
  }

  /** Waits for the work that is under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    while (this.#lanes.size > 0) await Promise.all(this.#lanes.values());
  }

  /** Takes note of the version of a row that was just written, unless another process has written it anew by now. */
  async #isNewest(group: HeldGroup, key: string, value: Uint8Array): Promise<boolean> {
    const stored = await this.#store.get(key);
    const isOurs = stored !== undefined && equalConstantTime(stored.value, value);
    if (isOurs) group.version = stored.version;
    stored?.value.fill(0);
    return isOurs;
  }

  async #hold(groupHex: string): Promise<HeldGroup> {
    const held = this.#held.get(groupHex);
    if (held !== undefined) {
      this.#held.delete(groupHex);
      this.#held.set(groupHex, held);
      return held;
    }
    const stored = await this.#store.get(groupRow(groupHex));
    if (stored === undefined) return new HeldGroup(groupHex, undefined, Roster.of([]));
    const row = decodeGroupRow(stored.value);
    const group = new HeldGroup(groupHex, row, await this.#rosterOf(groupHex, row));
    group.version = stored.version;
    this.#keep(group);
    return group;
  }

  /** @throws BAD_ROSTER when rows of it are lost */
  async #rosterOf(groupHex: string, { group: { inForce } }: GroupRow): Promise<Roster> {
    const roster = await readRoster(this.#store, groupHex);
    if (inForce === undefined) return roster;
    const { rosterRoot } = decodeGroupHeader(this.#context, inForce.header);
    if (equalConstantTime(roster.root(), rosterRoot)) return roster;
    throw new SymmetraError('BAD_ROSTER', 'the stored roster of a group is not that of its epoch');
  }

  #keep(group: HeldGroup): void {
    if (this.#held.has(group.groupHex)) return;
    this.#held.set(group.groupHex, group);
    this.#members += group.roster.size;
  }

  /** Groups that work waits for stay. */
  #makeRoom(): void {
    for (const [groupHex, group] of this.#held) {
      if (this.#members <= MAX_HELD_MEMBERS && this.#held.size <= MAX_HELD_GROUPS) return;
      if (this.#lanes.has(groupHex)) continue;
      this.#release(group);
      wipeState(group.row);
    }
  }

  #release(group: HeldGroup): void {
    if (this.#held.get(group.groupHex) !== group) return;
    this.#held.delete(group.groupHex);
    this.#members -= group.roster.size;
  }
}

function ignore(): void {
  // The one whose work it was learns how it ended.
}
