import { decodeGroupHeader } from '@symmetra/protocol';
import type { Logger } from '@symmetra/runtime';
import type { Store } from '@symmetra/storage';
import type { ControlState } from '../control/control-state.js';
import { GROUP_ROWS, lastPart } from '../rows/row-keys.js';
import { wipeState } from '../rows/wipe-state.js';
import type { Agreement } from './agreement.js';
import type { CreatedGroups } from './created-groups.js';
import type { Departures } from './departures.js';
import { decodeGroupRow } from './group-row.js';
import type { GroupRow } from './group-row.js';
import type { GroupTable } from './group-table.js';
import type { Notices } from './notices.js';
import type { TreeUpkeep } from './tree-upkeep.js';

const PAGE = 256;

export interface GroupStartParts {
  readonly store: Store;
  readonly logger: Logger;
  readonly state: ControlState;
  readonly table: GroupTable;
  readonly created: CreatedGroups;
  readonly notices: Notices;
  readonly agreement: Agreement;
  readonly departures: Departures;
  readonly upkeep: TreeUpkeep;
}

/** GRP-11: what a node that starts goes on with. */
export class GroupStart {
  readonly #parts: GroupStartParts;

  constructor(parts: GroupStartParts) {
    this.#parts = parts;
  }

  /**
   * Suspends the groups of devices that were revoked, echoes pending deals, and says again what is due. A group that fails
   * keeps the node from nothing else.
   */
  async run(): Promise<void> {
    const { store, state, departures, logger } = this.#parts;
    for (const deviceHex of state.deviceRevocations()) await departures.revoked(deviceHex);
    let count = 0;
    let after: string | undefined;
    for (;;) {
      const page = await store.scan(GROUP_ROWS, { limit: PAGE, ...(after !== undefined && { after }) });
      for (const { key, row } of page) {
        const group = decodeGroupRow(row.value);
        await this.#resume(lastPart(key), group);
        wipeState(group);
      }
      count += page.length;
      after = page.at(-1)?.key;
      if (page.length < PAGE) break;
    }
    if (count > 0) logger.info({ count }, 'The groups are known again.');
  }

  async #resume(groupHex: string, row: GroupRow): Promise<void> {
    const { logger, state, table, created, notices, agreement, upkeep } = this.#parts;
    const { group } = row;
    created.settle(groupHex, row.creator, row);
    if (group.pending !== undefined) agreement.begin(groupHex);
    if (group.inForce !== undefined) {
      const { limits } = decodeGroupHeader(state.context, group.inForce.header);
      upkeep.note(groupHex, limits.lifetimeSeconds);
    }
    if (group.out.length === 0) return;
    try {
      await table.run(groupHex, async (held) => {
        if (notices.isDue(held)) await notices.send(held);
      });
    } catch (error) {
      logger.error({ err: error }, 'That an epoch of a group is due could not be said again.');
    }
  }
}
