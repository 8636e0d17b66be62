import { SymmetraError, equalConstantTime, toBase32, toHex } from '@symmetra/crypto';
import type { Suite } from '@symmetra/crypto';
import { checkFloors } from '../pairwise/broker.js';
import type { BrokerRules, DeviceStanding } from '../pairwise/broker.js';
import { SHARE_LENGTH, within } from '../pairwise/header.js';
import type { Roster, RosterChanges } from '../tree/roster.js';
import { groupShareCommitment } from './header.js';
import type { GroupHeader } from './header.js';
import { dealingOrder, membershipAfter } from './order.js';
import type { OutDevice } from './order.js';

/** The rules of one node, from its descriptor and its control log. */
export interface GroupRules extends BrokerRules {
  /** Most members of a group. */
  readonly groupMembers: number;
}

/** A deal as it came out of the dealer's session (GRP-3). */
export interface GroupDeal {
  /** Canonical bytes. */
  readonly header: Uint8Array;
  readonly tag: Uint8Array;
  /** 32 bytes; whoever approves the deal takes them over. */
  readonly share: Uint8Array;
  /** Device ids, relative to `previous`. */
  readonly removed: readonly Uint8Array[];
  /** Device ids, in their order; the staged ones when there were any. */
  readonly added: readonly Uint8Array[];
}

/**
 * Why a deal may follow what this node has (GRP-11): it is the group's first; it follows the epoch in force here; q other
 * nodes echo it (`vouched`); the epoch in force here came to nobody, and the deal undoes no removal (`own`); it follows a
 * newer epoch that q other nodes stand by (`based`).
 */
type DealBasis = 'first' | 'next' | 'vouched' | 'own' | 'based';

/** Most members that one deal removes. */
export const MAX_REMOVED = 512;

/** What a deal changes, and relative to what. */
export interface DealScene {
  readonly basis: DealBasis;
  /** Of the epoch in force here, empty when there is none; `based`: of the epoch that the deal follows. */
  readonly roster: Roster;
  /** Who is out, without the leaves that other nodes outweigh; `vouched`: with them. */
  readonly out: readonly OutDevice[];
  /** Header of the epoch whose roster it is. */
  readonly inForce?: GroupHeader;
  /** The whole roster of the deal, when that is not worked out from what the dealer named. */
  readonly after?: Roster;
  readonly standingOf: (deviceId: Uint8Array) => DeviceStanding | undefined;
}

/**
 * GRP-4: what descriptor and policy say of a deal, and whether its share fits.
 * @throws NOT_IN_NODE_SET, DESCRIPTOR_OLD, BELOW_FLOOR, SUITE_FORBIDDEN, PURPOSE_FORBIDDEN, GROUP_LIMITS,
 *   GROUP_TOO_LARGE, SHARE_MISMATCH
 */
export function checkGroupRules(
  rules: GroupRules,
  suite: Suite,
  header: GroupHeader,
  share: Uint8Array,
): void {
  const place = header.nodes.indexOf(rules.nodeId) + 1;
  if (place === 0) {
    throw new SymmetraError('NOT_IN_NODE_SET', 'this node is not in the node set of the header');
  }
  if (header.descriptorVersion < rules.descriptorVersion) {
    throw new SymmetraError('DESCRIPTOR_OLD', 'the dealer used an older descriptor', {
      version: rules.descriptorVersion,
    });
  }
  checkFloors(rules, header);
  if (!within(header.limits, rules.maximum)) {
    throw new SymmetraError('GROUP_LIMITS', "lifetime or uses are above policy's maximum", {
      lifetimeSeconds: rules.maximum.lifetimeSeconds,
      uses: rules.maximum.uses,
    });
  }
  if (header.members > rules.groupMembers) {
    throw new SymmetraError('GROUP_TOO_LARGE', 'policy does not allow a group of so many members', {
      limit: rules.groupMembers,
    });
  }
  const commitment = header.commitments[place] as Uint8Array;
  if (
    share.length !== SHARE_LENGTH ||
    !equalConstantTime(commitment, groupShareCommitment(suite, header, place, share))
  ) {
    throw new SymmetraError('SHARE_MISMATCH', 'the share does not fit its commitment');
  }
}

/**
 * GRP-4: whether a deal that follows on `scene.basis` may change the roster so.
 * @param changes relative to the roster in force here.
 * @param removed how many the dealer named as removed.
 * @throws MEMBER_NOT_ENROLLED, MEMBER_REVOKED, STAGE_TOO_EARLY, GROUP_NOT_MANAGER, MEMBER_LEFT, GROUP_EMPTY,
 *   DEALER_NOT_MEMBER, MANAGER_NOT_MEMBER, ROSTER_MISMATCH, BAD_BARRIER
 */
export function checkChanges(
  rules: GroupRules,
  header: GroupHeader,
  scene: DealScene,
  changes: RosterChanges,
  removed: number,
): void {
  checkAdded(rules, scene, changes, () => scene.basis === 'vouched');
  const stays = membershipAfter(scene.roster, changes);
  checkSuccessor(header, scene, changes, stays);
  checkOut(scene, stays);
  checkSize(header, scene);
  if (!stays(header.dealer)) throw new SymmetraError('DEALER_NOT_MEMBER', 'the dealer is not a member');
  if (!header.managers.every(stays)) {
    throw new SymmetraError('MANAGER_NOT_MEMBER', 'a manager is not a member');
  }
  const { size, height, root } = scene.roster.outcome(changes);
  if (header.members !== size || header.height !== height || !equalConstantTime(header.rosterRoot, root)) {
    throw new SymmetraError('ROSTER_MISMATCH', 'the header is of another roster', { members: size, height });
  }
  checkBarrier(header, scene, removed);
}

/** @throws GROUP_NOT_MANAGER */
export function checkDealer(header: GroupHeader, scene: DealScene): void {
  if (!mayDeal(header, scene)) {
    throw new SymmetraError('GROUP_NOT_MANAGER', 'the device may not deal for this group');
  }
}

/** Whether the dealer is in the dealing order (GRP-10); for a first epoch, among the managers. */
export function mayDeal(header: GroupHeader, scene: Omit<DealScene, 'basis'>): boolean {
  const { inForce, roster, out } = scene;
  const order = inForce === undefined ? header.managers : dealingOrder(inForce.managers, roster, out);
  return isAmong(order, header.dealer);
}

function isAmong(devices: readonly Uint8Array[], deviceId: Uint8Array): boolean {
  return devices.some((id) => equalConstantTime(id, deviceId));
}

/**
 * @param isVouched GRP-11: whether q nodes let a device be a member; this node, which is new, need not know it yet.
 * @throws MEMBER_NOT_ENROLLED, MEMBER_REVOKED, STAGE_TOO_EARLY
 */
export function checkAdded(
  rules: GroupRules,
  { roster, standingOf }: Pick<DealScene, 'roster' | 'standingOf'>,
  changes: RosterChanges,
  isVouched: (deviceId: Uint8Array) => boolean,
): void {
  for (const { deviceId } of changes.taken) {
    if (roster.placeOf(deviceId) !== undefined) continue;
    const standing = standingOf(deviceId);
    if (standing?.revoked !== true && isVouched(deviceId)) continue;
    const device = toBase32(deviceId);
    if (standing === undefined) {
      throw new SymmetraError('MEMBER_NOT_ENROLLED', 'a member is not enrolled at this node', { device });
    }
    if (standing.revoked) throw memberRevoked(deviceId);
    if (!rules.stages.includes(standing.stage)) {
      throw new SymmetraError(
        'STAGE_TOO_EARLY',
        'a member is not yet at a stage in which policy allows keys',
        {
          device,
        },
      );
    }
  }
}

/**
 * GRP-4: a dealer that is no manager adds nobody, removes only who is out, and names the dealing order as managers.
 * @throws GROUP_NOT_MANAGER
 */
function checkSuccessor(
  header: GroupHeader,
  { basis, inForce, roster, out }: DealScene,
  changes: RosterChanges,
  stays: (deviceId: Uint8Array) => boolean,
): void {
  if (basis === 'vouched' || inForce === undefined || isAmong(inForce.managers, header.dealer)) return;
  const order = dealingOrder(inForce.managers, roster, out);
  const away = new Set(out.map(({ deviceId }) => toHex(deviceId)));
  const leaving = changes.vacated.map((place) => roster.at(place) as Uint8Array).filter((id) => !stays(id));
  const fits =
    changes.taken.every(({ deviceId }) => roster.placeOf(deviceId) !== undefined) &&
    leaving.every((id) => away.has(toHex(id))) &&
    header.managers.length === order.length &&
    header.managers.every((id, i) => equalConstantTime(id, order[i] as Uint8Array));
  if (!fits) {
    throw new SymmetraError('GROUP_NOT_MANAGER', 'who deals for want of a manager only removes who is out');
  }
}

/**
 * GRP-4: a deal that removes as many of them as a deal can may leave others who are out: its epoch is suspended from its
 * start. What q other nodes echo outweighs a leave: it may have been made good since.
 * @throws MEMBER_LEFT, MEMBER_REVOKED
 */
function checkOut({ basis, out, roster }: DealScene, stays: (deviceId: Uint8Array) => boolean): void {
  const removed = out.filter(({ deviceId }) => roster.placeOf(deviceId) !== undefined && !stays(deviceId));
  if (removed.length >= MAX_REMOVED) return;
  for (const { deviceId, reason } of out) {
    if (!stays(deviceId)) continue;
    if (reason === 'revoked') throw memberRevoked(deviceId);
    if (basis === 'vouched') continue;
    throw new SymmetraError('MEMBER_LEFT', 'a member that left would stay', { device: toBase32(deviceId) });
  }
}

/** @throws GROUP_EMPTY */
function checkSize(header: GroupHeader, { basis, roster, out, inForce }: DealScene): void {
  if (header.members > 1 || basis === 'vouched' || basis === 'based' || inForce?.members === 1) return;
  if (out.some(({ deviceId }) => roster.placeOf(deviceId) !== undefined)) return;
  throw new SymmetraError('GROUP_EMPTY', 'the group would have one member only');
}

/** @throws BAD_BARRIER */
function checkBarrier(header: GroupHeader, { basis, inForce }: DealScene, removed: number): void {
  const isKnown = (basis === 'next' || basis === 'based') && inForce !== undefined;
  const before = isKnown ? inForce.barrier : header.barrier;
  const moved = header.barrier === header.epoch;
  if (moved !== removed > 0 || (!moved && header.barrier !== before)) {
    throw new SymmetraError('BAD_BARRIER', 'the barrier does not fit what the deal removes');
  }
}

function memberRevoked(deviceId: Uint8Array): SymmetraError {
  return new SymmetraError('MEMBER_REVOKED', 'a member is revoked', { device: toBase32(deviceId) });
}
