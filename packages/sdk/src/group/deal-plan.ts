import { SymmetraError, equalConstantTime, toBase32 } from '@symmetra/crypto';
import { MAX_REMOVED, Roster, dealingOrder } from '@symmetra/protocol';
import type { GroupHeader, RosterChanges } from '@symmetra/protocol';
import type { GroupBase } from './group-base.js';
import { groupEmpty } from './group-options.js';
import type { GroupWish } from './group-options.js';

/** What a new epoch is to change. */
export interface GroupChange {
  readonly removed: readonly Uint8Array[];
  readonly added: readonly Uint8Array[];
}

/** A rotation. */
export const NO_CHANGE: GroupChange = { removed: [], added: [] };

/** Whether it changes nothing. */
export function isNothing({ removed, added }: GroupChange): boolean {
  return removed.length + added.length === 0;
}

/** What a deal changes, and the part of its header that follows from it. */
export interface DealPlan extends GroupChange {
  /** What it leaves to the next deal. */
  readonly rest: GroupChange;
  /** Absent when the roster stays as it is. */
  readonly roster?: { readonly before: Roster; readonly changes: RosterChanges };
  readonly header: Pick<
    GroupHeader,
    | 'groupId'
    | 'epoch'
    | 'previous'
    | 'barrier'
    | 'managers'
    | 'members'
    | 'height'
    | 'rosterRoot'
    | 'purpose'
    | 'keyLength'
    | 'limits'
  >;
}

/**
 * GRP-2: the first epoch of a group; the members stand in the order of the wish.
 * @param epoch above that of every deal that was made before and came to nothing
 * @throws GROUP_TOO_LARGE
 */
export function planFirst(groupId: Uint8Array, wish: GroupWish, epoch: number): DealPlan {
  const before = Roster.of([]);
  const changes = before.plan([], wish.members);
  const { size, height, root } = before.outcome(changes);
  return {
    removed: [],
    added: wish.members,
    rest: NO_CHANGE,
    roster: { before, changes },
    header: {
      groupId,
      epoch,
      previous: new Uint8Array(0),
      barrier: 0,
      managers: wish.managers,
      members: size,
      height,
      rosterRoot: root,
      purpose: wish.purpose,
      keyLength: wish.keyLength,
      limits: { lifetimeSeconds: wish.lifetimeSeconds, uses: wish.uses },
    },
  };
}

/** GRP-3: the epoch that follows a base and leaves the roster as it is. */
export function planRotation({ header, epochId }: GroupBase, epoch: number): DealPlan {
  return { ...NO_CHANGE, rest: NO_CHANGE, header: { ...header, epoch, previous: epochId } };
}

/**
 * GRP-2, GRP-3: the epoch that follows a base and changes its roster.
 * @param out members that left or were revoked; they go, whatever else changes
 * @throws MEMBER_UNKNOWN, MEMBER_TWICE, GROUP_EMPTY, GROUP_TOO_LARGE
 */
export function planChange(
  { header, epochId }: GroupBase,
  before: Roster,
  epoch: number,
  change: GroupChange,
  out: readonly Uint8Array[],
): DealPlan {
  for (const id of change.removed) {
    if (before.placeOf(id) === undefined) {
      throw new SymmetraError('MEMBER_UNKNOWN', 'the device is not a member', { device: toBase32(id) });
    }
  }
  for (const id of change.added) {
    if (before.placeOf(id) !== undefined) {
      throw new SymmetraError('MEMBER_TWICE', 'the device is a member already', { device: toBase32(id) });
    }
  }
  const gone = out.filter((id) => before.placeOf(id) !== undefined && !includes(change.removed, id));
  const leaving = [...gone, ...change.removed];
  const removed = leaving.slice(0, MAX_REMOVED);
  const changes = before.plan(removed, change.added);
  const { size, height, root } = before.outcome(changes);
  if (size < 2 && gone.length === 0 && header.members > 1) throw groupEmpty();
  const away = removed.map((deviceId) => ({ deviceId, reason: 'left' as const }));
  return {
    removed,
    added: change.added,
    rest: { removed: leaving.slice(MAX_REMOVED), added: [] },
    roster: { before, changes },
    header: {
      ...header,
      epoch,
      previous: epochId,
      barrier: removed.length > 0 ? epoch : header.barrier,
      managers: dealingOrder(header.managers, before, away),
      members: size,
      height,
      rosterRoot: root,
    },
  };
}

/** The part of a change that an epoch does not have yet. */
export function remaining(roster: Roster, { removed, added }: GroupChange): GroupChange {
  return {
    removed: removed.filter((id) => roster.placeOf(id) !== undefined),
    added: added.filter((id) => roster.placeOf(id) === undefined),
  };
}

/** Whether a device is among others. */
export function includes(ids: readonly Uint8Array[], id: Uint8Array): boolean {
  return ids.some((one) => equalConstantTime(one, id));
}
