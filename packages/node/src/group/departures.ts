import { suspend } from '@symmetra/protocol';
import type { OutDevice } from '@symmetra/protocol';
import type { Logger } from '@symmetra/runtime';
import type { Change, Store } from '@symmetra/storage';
import type { ControlState } from '../control/control-state.js';
import { groupDealRow, hexOf, rosterPagesOf, treePagesOf } from '../rows/row-keys.js';
import type { Audience } from './audience.js';
import type { CreatedGroups } from './created-groups.js';
import type { GroupTable } from './group-table.js';
import type { GroupTimers } from './group-timers.js';
import type { HeldGroup } from './held-group.js';
import type { Memberships } from './memberships.js';
import type { Notices } from './notices.js';

/** Groups of a revoked device whose rows are written together. */
const AT_ONCE = 16;
const RETRY_MS = 1000;
const LONGEST_RETRY_MS = 60_000;

export interface DeparturesParts {
  readonly store: Store;
  readonly logger: Logger;
  readonly state: ControlState;
  readonly table: GroupTable;
  readonly memberships: Memberships;
  readonly notices: Notices;
  readonly audience: Audience;
  readonly created: CreatedGroups;
  readonly timers: GroupTimers;
}

/** GRP-10: devices that leave their groups, or are revoked. */
export class Departures {
  readonly #parts: DeparturesParts;

  constructor(parts: DeparturesParts) {
    this.#parts = parts;
  }

  /** A device leaves a group. @throws GROUP_UNKNOWN, GROUP_ENDED, GROUP_NOT_MEMBER */
  async leave(groupHex: string, deviceId: Uint8Array): Promise<void> {
    await this.#parts.table.run(groupHex, async (group) => {
      if (group.row?.group.pending === undefined) group.current();
      await this.#take(group, { deviceId, reason: 'left' });
      this.#parts.audience.remove(groupHex, [hexOf(deviceId)]);
    });
  }

  /**
   * A device was revoked: its groups are suspended at once. Never fails: what could not be stored is tried again, and
   * keeps no other group waiting.
   */
  async revoked(deviceHex: string, retryMs = RETRY_MS): Promise<void> {
    const { memberships, logger, timers } = this.#parts;
    const deviceId = Uint8Array.from(Buffer.from(deviceHex, 'hex'));
    try {
      const groups = await memberships.of(deviceHex);
      const failures: unknown[] = [];
      for (let first = 0; first < groups.length; first += AT_ONCE) {
        const part = groups.slice(first, first + AT_ONCE);
        const outcomes = await Promise.allSettled(
          part.map(async (groupHex) => this.#revoke(groupHex, deviceId)),
        );
        for (const outcome of outcomes) if (outcome.status === 'rejected') failures.push(outcome.reason);
      }
      if (failures.length > 0) throw failures[0];
    } catch (error) {
      logger.error({ err: error }, 'The groups of a revoked device could not be suspended.');
      const next = Math.min(2 * retryMs, LONGEST_RETRY_MS);
      timers.set(`revoked/${deviceHex}`, retryMs, () => void this.revoked(deviceHex, next));
    }
  }

  async #revoke(groupHex: string, deviceId: Uint8Array): Promise<void> {
    await this.#parts.table.run(groupHex, async (group) =>
      this.#take(group, { deviceId, reason: 'revoked' }),
    );
  }

  async #take(group: HeldGroup, out: OutDevice): Promise<void> {
    const { row } = group;
    if (row === undefined) return;
    const { state, table, memberships, notices, created } = this.#parts;
    const changes = row.group.pending && (await table.changesOf(group));
    const next = suspend(state.context, row.group, group.roster, changes, out);
    if (next.state === row.group) return;
    const { effect, dropped } = next.output;
    const rows = effect === 'ended' ? await this.#allRows(group) : [];
    const deal = dropped ? [{ key: groupDealRow(group.groupHex), value: null }] : [];
    const strangers = dropped && changes !== undefined ? memberships.dropped(group, changes) : [];
    await table.commit(group, { ...row, group: next.state }, [...deal, ...strangers, ...rows]);
    for (const secret of next.consumed) secret.wipe();
    created.settle(group.groupHex, row.creator, group.row);
    if (dropped) group.changes = undefined;
    group.notice = undefined;
    if (effect === 'suspended') await notices.send(group);
    if (effect === 'ended') this.#end(group);
  }

  /** The changes that erase all of a group but its own row. */
  async #allRows({ groupHex, roster }: HeldGroup): Promise<readonly Change[]> {
    const { store, memberships } = this.#parts;
    const pages: Change[] = [];
    for (const prefix of [rosterPagesOf(groupHex), treePagesOf(groupHex)]) {
      for (const { key, row } of await store.scan(prefix)) {
        row.value.fill(0);
        pages.push({ key, value: null });
      }
    }
    const devices = Array.from(roster.members(), ({ deviceId }) => hexOf(deviceId));
    return [...pages, ...memberships.removal(groupHex, devices)];
  }

  #end(group: HeldGroup): void {
    const { table, audience, logger } = this.#parts;
    const members = [...group.roster.members()];
    audience.remove(
      group.groupHex,
      members.map(({ deviceId }) => hexOf(deviceId)),
    );
    table.resize(group, (roster) => roster.apply({ vacated: members.map(({ place }) => place), taken: [] }));
    group.beginEpoch([]);
    logger.info({ group: group.groupHex, count: members.length }, 'A group ended: nobody is left in it.');
  }
}
