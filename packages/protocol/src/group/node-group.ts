import { Secret, SymmetraError, equalConstantTime } from '@symmetra/crypto';
import type { ProtocolContext, Step } from '../context.js';
import type { DeviceStanding } from '../pairwise/broker.js';
import type { Share } from '../pairwise/transcript.js';
import { Roster } from '../tree/roster.js';
import type { RosterChanges } from '../tree/roster.js';
import { checkAdded, checkChanges, checkDealer, checkGroupRules } from './approval.js';
import type { DealScene, GroupDeal, GroupRules } from './approval.js';
import { MAX_GIVEN_UP, countEchoes, echoQuorum } from './echo.js';
import type { EchoBook, EchoedDeal, GroupEcho } from './echo.js';
import { dealHash, decodeGroupHeader, groupEpochId } from './header.js';
import type { GroupHeader } from './header.js';
import { checkEpoch, sceneOf } from './following.js';
import { membershipAfter } from './order.js';
import type { OutDevice } from './order.js';

/*
 *   unknown --deal--> pending --q echoes--> in force --deal--> in force, pending --q echoes--> in force ...
 *                        |                     |                    |
 *                        +--somebody of its roster out: dropped-----+
 *                                              |
 *                                              +--nobody left--> ended
 */

/** Epochs before the one in force whose echo a node still answers with. */
const MAX_PAST = 4;

/** A deal that this node approved. */
export interface GroupEpoch extends EchoedDeal {
  /** Canonical bytes. */
  readonly header: Uint8Array;
  readonly tag: Uint8Array;
  readonly epochId: Uint8Array;
  /** This node's share of S; absent once it is erased. */
  readonly share?: Share;
}

/** What a node keeps of a group beside its roster, its tree and the changes of the pending deal. */
export interface NodeGroup {
  /** 16 bytes. */
  readonly groupId: Uint8Array;
  readonly inForce?: GroupEpoch;
  /** What was in force before, the newest first; at most four. */
  readonly past: readonly EchoedDeal[];
  readonly pending?: GroupEpoch;
  /** Who left or was revoked, and has to be removed. */
  readonly out: readonly OutDevice[];
  /** The deal of the highest epoch that was ever echoed here; it is never taken back. */
  readonly echoed?: EchoedDeal;
  /** GRP-11: what was echoed and given up since the epoch in force, the newest first; absent: nothing. */
  readonly givenUp?: readonly EchoedDeal[];
  /** Nobody is left. The id is never used again. */
  readonly ended: boolean;
}

/** What a node knows beside the group's state when a deal comes in. */
export interface DealView {
  readonly rules: GroupRules;
  /** Of the epoch in force; empty when there is none. */
  readonly roster: Roster;
  readonly echoes: EchoBook;
  readonly standingOf: (deviceId: Uint8Array) => DeviceStanding | undefined;
  /** The whole roster of this deal, from a node that echoes it; only after a refusal that other nodes may outweigh. */
  readonly dealt?: Roster;
  /** The epoch that this deal follows, from a node that has it in force; likewise. */
  readonly base?: DealBase;
}

/** An epoch as another node has it in force. */
export interface DealBase {
  /** Canonical bytes. */
  readonly header: Uint8Array;
  readonly tag: Uint8Array;
  readonly roster: Roster;
}

/** The node stands by the deal. */
export interface DealAnswer extends EchoedDeal {
  readonly epochId: Uint8Array;
  readonly inForce: boolean;
  /**
   * What the deal changes relative to the roster in force here, to be stored with the state in one commit; absent when
   * the deal was approved before.
   */
  readonly changes?: RosterChanges;
}

/**
 * GRP-4: decides on a deal. Store the state and the changes in one commit, then answer, then echo. A deal that was
 * approved before gets the same answer again, and changes nothing.
 *
 * @param state undefined when there is no such group here.
 * @param sender the device whose session the deal came from.
 * @throws BAD_HEADER and what else decoding a header gives, DEALER_MISMATCH, what {@link checkGroupRules} throws,
 *   GROUP_EPOCH_OLD, GROUP_CONFLICT (both with detail `epoch`), GROUP_EXISTS, GROUP_ENDED, GROUP_UNKNOWN, GROUP_BEHIND,
 *   GROUP_NOT_MANAGER, MEMBER_UNKNOWN, MEMBER_TWICE, MEMBER_NOT_ENROLLED, MEMBER_REVOKED, STAGE_TOO_EARLY,
 *   MEMBER_LEFT, GROUP_EMPTY, DEALER_NOT_MEMBER, MANAGER_NOT_MEMBER, ROSTER_MISMATCH, BAD_BARRIER
 */
export function receiveDeal(
  context: ProtocolContext,
  state: NodeGroup | undefined,
  sender: Uint8Array,
  deal: GroupDeal,
  view: DealView,
): Step<NodeGroup, DealAnswer> {
  const header = decodeGroupHeader(context, deal.header);
  const suite = context.suites.get(header.suiteId);
  if (deal.tag.length !== suite.hashLength) {
    throw new SymmetraError('BAD_HEADER', 'the tag of a group header has the wrong length');
  }
  if (!equalConstantTime(header.dealer, sender)) {
    throw new SymmetraError('DEALER_MISMATCH', 'the header names another device as its dealer');
  }
  const hash = dealHash(suite, deal.header, deal.tag);
  const known = [state?.inForce, state?.pending].find((one) => one && isDeal(one, hash));
  if (state !== undefined && known !== undefined) {
    return { state, output: answer(known, known === state.inForce), consumed: [] };
  }
  checkGroupRules(view.rules, suite, header, deal.share);
  checkEpoch(state, header, view, hash);
  const scene = sceneOf(context, state, header, deal, view, hash);
  const planned = changesOf(header, scene, deal);
  checkChanges(view.rules, header, scene, planned, deal.removed.length);
  const changes = scene.basis === 'based' ? ownChanges(view, scene.roster, planned) : planned;
  const pending: GroupEpoch = {
    header: deal.header,
    tag: deal.tag,
    epoch: header.epoch,
    epochId: groupEpochId(suite, deal.header),
    dealHash: hash,
    share: Secret.of('Share', deal.share),
  };
  return {
    state: approved(state, scene, header.groupId, pending, membershipAfter(view.roster, changes)),
    output: { ...answer(pending, false), changes },
    consumed: sharesOf(state?.pending),
  };
}

function isDeal(one: EchoedDeal, hash: Uint8Array): boolean {
  return equalConstantTime(one.dealHash, hash);
}

function answer({ epoch, dealHash: hash, epochId }: GroupEpoch, inForce: boolean): DealAnswer {
  return { epoch, dealHash: hash, epochId, inForce };
}

/** Relative to the roster of the scene. @throws GROUP_NOT_MANAGER, MEMBER_UNKNOWN, MEMBER_TWICE, GROUP_TOO_LARGE */
function changesOf(header: GroupHeader, scene: DealScene, deal: GroupDeal): RosterChanges {
  if (scene.after !== undefined) return scene.roster.differences(scene.after);
  checkDealer(header, scene);
  return scene.roster.plan(deal.removed, deal.added);
}

/**
 * The changes of a deal that follows a newer epoch, relative to the roster in force here.
 * @throws MEMBER_NOT_ENROLLED, MEMBER_REVOKED, STAGE_TOO_EARLY
 */
function ownChanges(view: DealView, base: Roster, planned: RosterChanges): RosterChanges {
  const after = Roster.of(base.members());
  after.apply(planned);
  const changes = view.roster.differences(after);
  checkAdded(view.rules, view, changes, (deviceId) => base.placeOf(deviceId) !== undefined);
  return changes;
}

/** The state with a deal pending. A leave that q other nodes outweighed is forgotten: one that did not count. */
function approved(
  state: NodeGroup | undefined,
  { basis, out: counting }: DealScene,
  groupId: Uint8Array,
  pending: GroupEpoch,
  stays: (deviceId: Uint8Array) => boolean,
): NodeGroup {
  const out = state?.out ?? [];
  const counted = new Set(basis === 'vouched' ? [] : counting);
  const before = state && withoutPending(state);
  const givenUp = before?.givenUp?.filter((one) => !isDeal(one, pending.dealHash)) ?? [];
  return {
    groupId,
    ...(before?.inForce && { inForce: before.inForce }),
    past: before?.past ?? [],
    pending,
    out: out.filter((one) => one.reason === 'revoked' || counted.has(one) || !stays(one.deviceId)),
    echoed: echoed(pending),
    ...(givenUp.length > 0 && { givenUp }),
    ended: false,
  };
}

/** GRP-11: the state with its pending deal given up: it is named as such until another epoch comes into force. */
export function withoutPending(state: NodeGroup): NodeGroup {
  const { pending, givenUp = [], ...rest } = state;
  if (pending === undefined) return state;
  return { ...rest, givenUp: [echoed(pending), ...givenUp].slice(0, MAX_GIVEN_UP) };
}

function echoed({ epoch, dealHash: hash }: EchoedDeal): EchoedDeal {
  return { epoch, dealHash: hash };
}

/** GRP-5: what this node tells the others of the group: what it stands by, the newest first; then what it gave up. */
export function echoOf({ pending, inForce, past, givenUp = [] }: NodeGroup): GroupEcho {
  const standing = [pending, inForce, ...past].filter((one) => one !== undefined);
  return [
    ...standing.map(echoed),
    ...givenUp.map((one) => ({ epoch: one.epoch, dealHash: one.dealHash, givenUp: true })),
  ];
}

/** GRP-5: whether q nodes, this one included, echo the pending deal. */
export function isAgreed(
  context: ProtocolContext,
  { pending }: NodeGroup,
  nodeId: string,
  echoes: EchoBook,
): boolean {
  if (pending === undefined) return false;
  const { nodes, threshold } = decodeGroupHeader(context, pending.header);
  const others = nodes.filter((node) => node !== nodeId);
  return countEchoes(echoes, others, pending.dealHash) + 1 >= echoQuorum(nodes.length, threshold);
}

/** What a node has at hand when echoes come in. */
export interface Agreement {
  readonly nodeId: string;
  readonly echoes: EchoBook;
  /** Of the epoch in force. */
  readonly roster: Roster;
  /** Of the pending deal. */
  readonly changes: RosterChanges;
}

/**
 * GRP-5: brings the pending deal into force when q nodes echo it. Store the state, the roster and the tree in one
 * commit, then deliver, unless the epoch is suspended (`isSuspended`).
 * @returns the epoch that is in force now; undefined when it can not be yet.
 */
export function bringIntoForce(
  context: ProtocolContext,
  state: NodeGroup,
  { nodeId, echoes, roster, changes }: Agreement,
): Step<NodeGroup, GroupEpoch | undefined> {
  const { pending, givenUp: _, ...rest } = state;
  if (pending === undefined || !isAgreed(context, state, nodeId, echoes)) {
    return { state, output: undefined, consumed: [] };
  }
  const stays = membershipAfter(roster, changes);
  const past = state.inForce === undefined ? state.past : [echoed(state.inForce), ...state.past];
  return {
    state: {
      ...rest,
      inForce: pending,
      past: past.slice(0, MAX_PAST),
      out: state.out.filter(({ deviceId }) => stays(deviceId)),
    },
    output: pending,
    consumed: sharesOf(state.inForce),
  };
}

/** GRP-8: the share of the epoch in force is kept no longer. */
export function forgetShare(state: NodeGroup): Step<NodeGroup, undefined> {
  if (state.inForce === undefined) return { state, output: undefined, consumed: [] };
  const { share: _, ...inForce } = state.inForce;
  return { state: { ...state, inForce }, output: undefined, consumed: sharesOf(state.inForce) };
}

/** GRP-4: a pending deal that did not come into force in time is given up; its number stays echoed. */
export function abandonDeal(state: NodeGroup): Step<NodeGroup, undefined> {
  return { state: withoutPending(state), output: undefined, consumed: sharesOf(state.pending) };
}

/** The share of a deal that is given up. */
export function sharesOf(epoch: GroupEpoch | undefined): readonly Share[] {
  return epoch?.share === undefined ? [] : [epoch.share];
}
