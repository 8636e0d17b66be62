import { abandonDeal, decodeGroupHeader, forgetShare } from '@symmetra/protocol';
import type { GroupEpoch } from '@symmetra/protocol';
import type { Clock, Logger } from '@symmetra/runtime';
import type { ControlState } from '../control/control-state.js';
import { groupDealRow } from '../rows/row-keys.js';
import type { CreatedGroups } from './created-groups.js';
import type { GroupRow } from './group-row.js';
import type { GroupTable } from './group-table.js';
import type { HeldGroup } from './held-group.js';
import type { Memberships } from './memberships.js';

const SECOND_MS = 1000;

export interface ShareExpiryParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly state: ControlState;
  readonly table: GroupTable;
  readonly memberships: Memberships;
  readonly created: CreatedGroups;
}

/**
 * A node keeps a share at most for the header's lifetime: that of the epoch in force (GRP-8), and that of a deal that
 * does not come into force, which is given up with it (GRP-4).
 */
export class ShareExpiry {
  readonly #parts: ShareExpiryParts;

  constructor(parts: ShareExpiryParts) {
    this.#parts = parts;
  }

  /** Whether a group has a share whose time is over. */
  isOver(row: GroupRow): boolean {
    return this.#isDealOver(row) || this.#isShareOver(row);
  }

  /** Erases it. Never fails: what could not be erased goes the next time, and keeps no other group waiting. */
  async erase(groupHex: string): Promise<void> {
    try {
      await this.#parts.table.run(groupHex, async (group) => {
        if (group.row !== undefined && this.#isDealOver(group.row)) await this.#abandon(group, group.row);
        if (group.row !== undefined && this.#isShareOver(group.row)) await this.#forget(group, group.row);
      });
    } catch (error) {
      this.#parts.logger.warn({ err: error }, 'A share of a group whose time is over could not be erased.');
    }
  }

  #isDealOver({ group: { pending }, pendingSinceMs }: GroupRow): boolean {
    return pending !== undefined && this.#isPast(pending, pendingSinceMs);
  }

  #isShareOver({ group: { inForce }, sinceMs }: GroupRow): boolean {
    return inForce?.share !== undefined && this.#isPast(inForce, sinceMs);
  }

  #isPast({ header }: GroupEpoch, sinceMs: number): boolean {
    const { limits } = decodeGroupHeader(this.#parts.state.context, header);
    return sinceMs + limits.lifetimeSeconds * SECOND_MS <= this.#parts.clock.now();
  }

  async #abandon(group: HeldGroup, row: GroupRow): Promise<void> {
    const { table, memberships, created, logger } = this.#parts;
    const changes = await table.changesOf(group);
    const { state, consumed } = abandonDeal(row.group);
    await table.commit(group, { ...row, group: state }, [
      { key: groupDealRow(group.groupHex), value: null },
      ...memberships.dropped(group, changes),
    ]);
    for (const secret of consumed) secret.wipe();
    group.changes = undefined;
    created.settle(group.groupHex, row.creator, group.row);
    const epoch = row.group.pending?.epoch;
    logger.info(
      { group: group.groupHex, epoch },
      'A deal for a group did not come into force in time and is given up.',
    );
  }

  async #forget(group: HeldGroup, row: GroupRow): Promise<void> {
    const { state, consumed } = forgetShare(row.group);
    await this.#parts.table.commit(group, { ...row, group: state });
    for (const secret of consumed) secret.wipe();
  }
}
