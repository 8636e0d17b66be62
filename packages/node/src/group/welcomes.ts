import { setImmediate as nextTurn } from 'node:timers/promises';
import { EncodingError, equalConstantTime } from '@symmetra/crypto';
import { decodeGroupHeader, isSuspended, pagesOfPath, pathKeysOf } from '@symmetra/protocol';
import type { GroupEpoch } from '@symmetra/protocol';
import type { Logger } from '@symmetra/runtime';
import type { Store } from '@symmetra/storage';
import type { Freshness } from '../control/freshness.js';
import type { ControlState } from '../control/control-state.js';
import type { EventSender } from '../presence/event-sender.js';
import type { Presences } from '../presence/presences.js';
import { hexOf } from '../rows/row-keys.js';
import type { GroupRow } from './group-row.js';
import type { GroupTable } from './group-table.js';
import type { HeldGroup } from './held-group.js';
import { TreePages, treePageChanges, wipePages } from './tree-pages.js';
import { treeScope } from './tree-scope.js';
import { TREE_LOST } from './tree-step.js';
import type { TreeSteps } from './tree-step.js';

/** Places that are looked at before other work on the group gets its turn. */
const PLACES_PER_TURN = 64;
const ERASED = new Uint8Array(0);

export interface WelcomesParts {
  readonly store: Store;
  readonly logger: Logger;
  readonly state: ControlState;
  readonly freshness: Freshness;
  readonly table: GroupTable;
  readonly trees: TreeSteps;
  readonly presences: Presences;
  readonly events: EventSender;
}

interface Guest {
  readonly place: number;
  readonly deviceHex: string;
}

/** GRP-8: gives members the epoch in force, with the keys of their paths, in their sessions. */
export class Welcomes {
  readonly #parts: WelcomesParts;

  constructor(parts: WelcomesParts) {
    this.#parts = parts;
  }

  /**
   * Welcomes those of some members who are attached and have not confirmed, as long as the epoch is in force. Other work
   * on the group goes on between. Never fails: who is left out gets a welcome when it attaches.
   */
  async bring(groupHex: string, epochId: Uint8Array, places: readonly number[]): Promise<void> {
    try {
      for (let first = 0; first < places.length; first += PLACES_PER_TURN) {
        const part = places.slice(first, first + PLACES_PER_TURN);
        const goesOn = await this.#parts.table.run(groupHex, async (group) => {
          const { inForce } = group.row?.group ?? {};
          if (inForce === undefined || !equalConstantTime(inForce.epochId, epochId)) return false;
          await this.send(group, part);
          return true;
        });
        if (!goesOn || this.#parts.table.isStopped) return;
        await nextTurn();
      }
    } catch (error) {
      this.#parts.logger.warn(
        { group: groupHex, err: error },
        'Not all members of a group could be welcomed.',
      );
    }
  }

  /** {@link Welcomes.bring} within work on the group. Where the tree can not be read, all members are welcomed anew. */
  async send(group: HeldGroup, places: readonly number[]): Promise<void> {
    const { row, roster } = group;
    if (row?.group.inForce === undefined || isSuspended(row.group, roster)) return;
    const guests = await this.#guests(group, places);
    if (guests.length === 0) return;
    if (!this.#isFreshFor(group, row.group.inForce.epochId)) return;
    try {
      await this.#welcome(group, row, row.group.inForce, guests);
    } catch (error) {
      if (!(error instanceof EncodingError)) throw error;
      await this.replant(group, error);
    }
  }

  /** GRP-6: another tree for the epoch in force, as the one that is stored can not be read. Within work on the group. */
  async replant(group: HeldGroup, cause: EncodingError): Promise<void> {
    const { logger, state, table, trees } = this.#parts;
    const { groupHex, row, roster } = group;
    if (row?.group.inForce === undefined) return;
    const header = decodeGroupHeader(state.context, row.group.inForce.header);
    logger.error({ group: groupHex, epoch: header.epoch, err: cause }, TREE_LOST);
    const places = Array.from(roster.members(), ({ place }) => place);
    const pages = await trees.plant({ groupHex, header, places, step: row.step });
    await table.commit(group, row, treePageChanges(groupHex, pages)).finally(() => wipePages(pages));
    group.confirmed = new Set();
    void this.bring(groupHex, row.group.inForce.epochId, places);
  }

  /** CTL-7: a node that is not fresh welcomes nobody; who is there is welcomed as soon as it is. */
  #isFreshFor({ groupHex, roster }: HeldGroup, epochId: Uint8Array): boolean {
    const { freshness } = this.#parts;
    if (freshness.isFresh) return true;
    const places = Array.from(roster.members(), ({ place }) => place);
    freshness.whenFresh(`welcome/${groupHex}`, () => void this.bring(groupHex, epochId, places));
    return false;
  }

  async #welcome(
    group: HeldGroup,
    row: GroupRow,
    { header, tag, share, epochId }: GroupEpoch,
    guests: readonly Guest[],
  ): Promise<void> {
    const { context, identity } = this.#parts.state;
    const decoded = decodeGroupHeader(context, header);
    const scope = treeScope(context, decoded, identity.id);
    const names = new Set(guests.flatMap(({ place }) => pagesOfPath(decoded.height, place)));
    const pages = await TreePages.read(this.#parts.store, group.groupHex, names);
    try {
      for (const { place, deviceHex } of guests) {
        if (!this.#isFreshFor(group, epochId)) return;
        const pathKeys = pathKeysOf(scope, pages.get, decoded.height, place, row.step);
        const welcome = { header, tag, share: share?.bytes ?? ERASED, place, step: row.step, pathKeys };
        const sent = this.#parts.events.send(deviceHex, { groupWelcome: welcome });
        pathKeys.fill(0);
        await sent;
      }
    } finally {
      pages.wipe();
    }
  }

  async #guests({ roster, confirmed }: HeldGroup, places: readonly number[]): Promise<readonly Guest[]> {
    const { presences, state } = this.#parts;
    const guests: Guest[] = [];
    for (const place of places) {
      const deviceId = roster.at(place);
      if (deviceId === undefined || confirmed.has(place)) continue;
      const deviceHex = hexOf(deviceId);
      const where = presences.find(deviceHex);
      const isThere = (where instanceof Promise ? await where : where) !== undefined;
      if (!isThere || state.isDeviceRevoked(deviceHex)) continue;
      guests.push({ place, deviceHex });
    }
    return guests;
  }
}
