import { decodeGroupHeader, forgetShare } from '@symmetra/protocol';
import type { Clock } from '@symmetra/runtime';
import type { ControlState } from '../control/control-state.js';
import type { GroupRow } from './group-row.js';
import type { GroupTable } from './group-table.js';

const SECOND_MS = 1000;

export interface ShareExpiryParts {
  readonly clock: Clock;
  readonly state: ControlState;
  readonly table: GroupTable;
}

/** GRP-8: a node keeps the share of the epoch in force at most for the header's lifetime. */
export class ShareExpiry {
  readonly #parts: ShareExpiryParts;

  constructor(parts: ShareExpiryParts) {
    this.#parts = parts;
  }

  /** Whether a group has a share whose time is over. */
  isOver({ group: { inForce }, sinceMs }: GroupRow): boolean {
    if (inForce?.share === undefined) return false;
    const { limits } = decodeGroupHeader(this.#parts.state.context, inForce.header);
    return sinceMs + limits.lifetimeSeconds * SECOND_MS <= this.#parts.clock.now();
  }

  /** Erases it. */
  async erase(groupHex: string): Promise<void> {
    const { table } = this.#parts;
    await table.run(groupHex, async (group) => {
      if (group.row === undefined || !this.isOver(group.row)) return;
      const { state, consumed } = forgetShare(group.row.group);
      await table.commit(group, { ...group.row, group: state });
      for (const secret of consumed) secret.wipe();
    });
  }
}
