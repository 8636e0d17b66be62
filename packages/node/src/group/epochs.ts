import {
  bringIntoForce,
  decodeGroupHeader,
  encodeEpochBroadcast,
  rangesOf,
  signBroadcast,
} from '@symmetra/protocol';
import type { Roster } from '@symmetra/protocol';
import type { Clock, Logger } from '@symmetra/runtime';
import type { ControlState } from '../control/control-state.js';
import { groupDealRow, hexOf } from '../rows/row-keys.js';
import type { Audience } from './audience.js';
import type { GroupPass } from './group-pass.js';
import type { GroupTable } from './group-table.js';
import type { GroupTimers } from './group-timers.js';
import type { HeldGroup } from './held-group.js';
import type { Memberships } from './memberships.js';
import type { Notices } from './notices.js';
import { rosterPageChanges } from './roster-pages.js';
import { treePageChanges, wipePages } from './tree-pages.js';
import type { SteppedTree, TreeSteps, Turn } from './tree-step.js';
import type { TreeUpkeep } from './tree-upkeep.js';
import type { Welcomes } from './welcomes.js';

/** GRP-8: how long after an epoch began its broadcasts have come, and members that have not confirmed are welcomed. */
const SETTLED_AFTER_MS = 5000;

export interface EpochsParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly state: ControlState;
  readonly table: GroupTable;
  readonly memberships: Memberships;
  readonly trees: TreeSteps;
  readonly upkeep: TreeUpkeep;
  readonly welcomes: Welcomes;
  readonly notices: Notices;
  readonly pass: GroupPass;
  readonly audience: Audience;
  readonly timers: GroupTimers;
}

/** Brings epochs into force at this node (GRP-5 to GRP-8). */
export class Epochs {
  readonly #parts: EpochsParts;

  constructor(parts: EpochsParts) {
    this.#parts = parts;
  }

  /** GRP-5: brings the pending deal into force, if q nodes echo it. Runs within work on the group. */
  async settle(group: HeldGroup): Promise<void> {
    const { row } = group;
    if (row?.group.pending === undefined) return;
    const { state, clock, table } = this.#parts;
    const { roster, echoes } = group;
    const changes = await table.changesOf(group);
    const agreement = { nodeId: state.identity.id, echoes, roster, changes };
    const next = bringIntoForce(state.context, row.group, agreement);
    if (next.output === undefined) return;
    const turn: Turn = {
      groupHex: group.groupHex,
      before: row.group.inForce,
      epoch: next.output,
      header: decodeGroupHeader(state.context, next.output.header),
      roster,
      changes,
      step: row.group.inForce === undefined ? 0 : row.step + 1,
    };
    const removed = removedBy(turn);
    const tree = await this.#store(group, turn, removed, {
      ...row,
      group: next.state,
      step: turn.step,
      sinceMs: clock.now(),
    });
    for (const secret of next.consumed) secret.wipe();
    table.resize(group, () => roster.apply(changes));
    this.#dismiss(group, group.removed);
    this.#parts.audience.add(
      group.groupHex,
      changes.taken.map(({ deviceId }) => hexOf(deviceId)),
    );
    group.beginEpoch(removed);
    await this.#deliver(group, turn, tree);
  }

  /** State, roster and tree in one commit. */
  async #store(
    group: HeldGroup,
    { changes, ...turn }: Turn,
    removed: readonly string[],
    row: NonNullable<HeldGroup['row']>,
  ): Promise<SteppedTree> {
    const { table, memberships, trees } = this.#parts;
    const { groupHex, roster } = group;
    const tree = await trees.take({ ...turn, changes });
    try {
      await table.commit(group, row, [
        { key: groupDealRow(groupHex), value: null },
        ...rosterPageChanges(groupHex, roster, changes),
        ...treePageChanges(groupHex, tree.pages),
        ...memberships.removal(groupHex, removed),
      ]);
      return tree;
    } finally {
      wipePages(tree.pages);
    }
  }

  /** Who was removed listens a little longer: the broadcasts of this epoch tell it so (GRP-9). */
  #dismiss(group: HeldGroup, removed: readonly string[]): void {
    const gone = removed.filter(
      (deviceHex) => group.roster.placeOf(Buffer.from(deviceHex, 'hex')) === undefined,
    );
    this.#parts.audience.remove(group.groupHex, gone);
  }

  /**
   * GRP-7, GRP-8: one broadcast for those that stay, a welcome for who is new; a welcome for all when there is none, as
   * when somebody moved to another place, who would take it for a farewell. An epoch that is suspended from its start is
   * delivered to nobody.
   */
  async #deliver(group: HeldGroup, turn: Turn, tree: SteppedTree): Promise<void> {
    const { logger, notices, pass, timers, upkeep, welcomes } = this.#parts;
    const { groupHex, epoch, header, changes } = turn;
    timers.set(`settled/${groupHex}`, SETTLED_AFTER_MS, () => void this.#settled(groupHex, epoch.epochId));
    logger.info(
      { group: groupHex, epoch: header.epoch, count: header.members },
      'An epoch of a group came into force.',
    );
    upkeep.note(groupHex, header.limits.lifetimeSeconds);
    if (notices.isDue(group)) {
      await notices.send(group);
      return;
    }
    const isMoved = changes.vacated.length !== group.removed.length;
    const content = isMoved ? undefined : this.#broadcast(turn, tree);
    if (content !== undefined) pass.broadcast(groupHex, content);
    const guests = content === undefined ? placesOf(group.roster) : changes.taken.map(({ place }) => place);
    void welcomes.bring(groupHex, epoch.epochId, guests);
  }

  /** GRP-8: a welcome to who has not confirmed by now. */
  async #settled(groupHex: string, epochId: Uint8Array): Promise<void> {
    const { logger, table, welcomes } = this.#parts;
    try {
      const places = await table.run(groupHex, async (group) => {
        this.#dismiss(group, group.removed);
        return placesOf(group.roster).filter((place) => !group.confirmed.has(place));
      });
      await welcomes.bring(groupHex, epochId, places);
    } catch (error) {
      logger.warn(
        { group: groupHex, err: error },
        'Members that have not confirmed an epoch could not be welcomed.',
      );
    }
  }

  #broadcast(
    { before, epoch, changes, step }: Turn,
    { update, nonce }: SteppedTree,
  ): { content: Uint8Array; signature: Uint8Array } | undefined {
    if (before === undefined || update === undefined) return undefined;
    const { context, identity } = this.#parts.state;
    const content = encodeEpochBroadcast(context, {
      ...update,
      nodeId: identity.id,
      headerBytes: epoch.header,
      tag: epoch.tag,
      from: before.epochId,
      step,
      nonce,
      vacated: rangesOf(changes.vacated),
      taken: rangesOf(changes.taken.map(({ place }) => place)),
    });
    return content && { content, signature: signBroadcast(content, identity.signing.secretKey.bytes) };
  }
}

function placesOf(roster: Roster): readonly number[] {
  return Array.from(roster.members(), ({ place }) => place);
}

/** Devices that leave the group with this epoch; who moves to another place stays. */
function removedBy({ roster, changes: { vacated, taken } }: Turn): readonly string[] {
  const stay = new Set(taken.map(({ deviceId }) => hexOf(deviceId)));
  const left = vacated.map((place) => hexOf(roster.at(place) as Uint8Array));
  return left.filter((deviceHex) => !stay.has(deviceHex));
}
