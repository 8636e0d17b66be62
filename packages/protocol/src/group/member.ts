import { SymmetraError, equalConstantTime, toHex } from '@symmetra/crypto';
import type { Step } from '../context.js';
import { passesOver, withKnown } from './chain.js';
import type { KnownEpoch } from './chain.js';
import { MAX_EPOCHS, acceptedEpochs, epochOf, epochSecrets, newerFirst } from './epochs.js';
import type { HeldEpoch } from './epochs.js';
import type { GroupDue } from './due.js';
import { gatheredShares } from './gathering.js';
import type { Gathering } from './gathering.js';
import type { GroupHeader } from './header.js';
import { believed, withNotice } from './notices.js';
import type { BelievedDue, HeldNotice } from './notices.js';
import type { DealtHeader, NodePath } from './welcome.js';

/*
 *   welcome, broadcast --a path--> of its node --a share--> gathering --q shares--> an epoch --lifetime, barrier, two
 *                                                               |                            newer ones--> past
 *                                                               +--the tag does not fit--> past
 */

/** Epoch ids and deal hashes that a member remembers to be over. */
const MAX_PAST = 32;

/** GRP-9: what a member keeps of one group. */
export interface MemberGroup {
  /** 16 bytes. */
  readonly groupId: Uint8Array;
  /** Of this member. */
  readonly deviceId: Uint8Array;
  /** One of each node that gave one. */
  readonly paths: readonly NodePath[];
  readonly gatherings: readonly Gathering[];
  /** Newest first. */
  readonly epochs: readonly HeldEpoch[];
  /** The newest epoch that was ever held; 0 where none was. */
  readonly newest: NewestEpoch | undefined;
  /** Ids of epochs that were held, and hashes of deals whose tag did not fit; the last ones. */
  readonly past: readonly Uint8Array[];
  /** What is known of the chain of epochs; it outlives their keys. */
  readonly chain: readonly KnownEpoch[];
  /** Who says that this member is out, and since which epoch. */
  readonly farewells: readonly Farewell[];
  readonly notices: readonly HeldNotice[];
}

/** What outlives the keys of the newest epoch. */
interface NewestEpoch {
  readonly epoch: number;
  readonly threshold: number;
  readonly nodes: readonly string[];
}

/** GRP-9: a node vacated this member's place. */
interface Farewell {
  readonly nodeId: string;
  readonly epochId: Uint8Array;
}

/** What a member has to do. After each kind but `waiting` the state is stored first. */
export type MemberOutput =
  | { readonly kind: 'nothing' }
  /** What came does not follow what the member has of the node: a welcome will. */
  | { readonly kind: 'waiting' }
  /** The member has the key of an epoch, and confirms its id to these nodes. */
  | { readonly kind: 'epoch'; readonly epoch: HeldEpoch; readonly confirmTo: readonly string[] }
  /** The member had the epoch already, and confirms its id to this node. */
  | { readonly kind: 'held'; readonly epochId: Uint8Array; readonly confirmTo: readonly string[] }
  /** AUTHENTICATION_FAILED: the dealer's shares do not fit its tag. To be reported. */
  | { readonly kind: 'misfit'; readonly epochId: Uint8Array; readonly dealer: Uint8Array }
  /** GROUP_FORK: the epoch follows one that others followed long since, and may undo a removal. To be reported. */
  | {
      readonly kind: 'fork';
      readonly epochId: Uint8Array;
      readonly epoch: number;
      readonly dealer: Uint8Array;
    }
  /** k nodes say that this member is out: the state is to be deleted, all of it is in `consumed`. */
  | { readonly kind: 'out'; readonly epochId: Uint8Array }
  /** k nodes say that the newest epoch needs another one; what they say is new. */
  | { readonly kind: 'due'; readonly due: BelievedDue };

/** One step of a member of a group. */
export type MemberStep = Step<MemberGroup, MemberOutput>;

/**
 * GRP-9: a member that nobody told anything yet; the first welcome begins with it, or the first notice that names this
 * device in the dealing order: an epoch may be suspended before it has its key.
 * @param known by whom a notice is believed as long as there was no epoch: the descriptor's nodes, and its least k.
 */
export function newMember(
  groupId: Uint8Array,
  deviceId: Uint8Array,
  known?: Pick<GroupHeader, 'threshold' | 'nodes'>,
): MemberGroup {
  return {
    groupId,
    deviceId,
    paths: [],
    gatherings: [],
    epochs: [],
    newest: known && { epoch: 0, threshold: known.threshold, nodes: known.nodes },
    past: [],
    chain: [],
    farewells: [],
    notices: [],
  };
}

/** Everything that has to be erased when a member gives a group up. */
export function memberSecrets(state: MemberGroup): readonly { wipe(): void }[] {
  const keys = state.paths.map((path) => path.keys);
  return [...keys, ...gatheredShares(state.gatherings), ...epochSecrets(state.epochs)];
}

/** GRP-9: one more epoch is held. */
export function withEpoch(before: MemberGroup, epoch: HeldEpoch): Omit<MemberStep, 'output'> {
  const { epoch: number, threshold, nodes } = epoch.header;
  const isNewest = number >= (before.newest?.epoch ?? 0);
  const newest = isNewest ? { epoch: number, threshold, nodes } : before.newest;
  const notices = before.notices.filter((notice) => notice.epoch >= (newest?.epoch ?? 0));
  const epochs = [...before.epochs, epoch].toSorted(newerFirst);
  const chain = withKnown(before.chain, epoch);
  return keeping({ ...before, newest, notices, epochs, chain }, epochs.slice(0, MAX_EPOCHS));
}

/** GRP-9: gives up the keys of epochs that are over. Store the state, then wipe. */
export function endEpochs(state: MemberGroup, nowMs: number, boundMs: number): Omit<MemberStep, 'output'> {
  return keeping(state, acceptedEpochs(state.epochs, nowMs, boundMs));
}

/**
 * GRP-9: keeps some of the epochs. With the others go the paths of epochs below the oldest one that is kept, with which
 * what was broadcast since could be opened, and the shares of epochs for which nobody waits any more.
 */
function keeping(before: MemberGroup, epochs: readonly HeldEpoch[]): Omit<MemberStep, 'output'> {
  const over = before.epochs.filter((epoch) => !epochs.includes(epoch));
  const past = withPast(
    before.past,
    over.map(({ epochId }) => epochId),
  );
  const held = { ...before, epochs, past };
  const paths = over.length === 0 ? before.paths : before.paths.filter((path) => isFollowed(held, path));
  const state: MemberGroup = { ...held, paths };
  const isWaiting = (one: Gathering): boolean => isWanted(state, one);
  const consumed = [
    ...epochSecrets(over),
    ...before.paths.filter((path) => !paths.includes(path)).map(({ keys }) => keys),
    ...gatheredShares(before.gatherings.filter((one) => !isWaiting(one))),
  ];
  return { state: { ...state, gatherings: before.gatherings.filter(isWaiting) }, consumed };
}

/** GRP-9: whether a path is kept: not below the oldest epoch that is held, nor of one that was held and erased. */
export function isFollowed(state: MemberGroup, { epoch, epochId }: NodePath): boolean {
  const ended = state.newest === undefined ? 0 : state.newest.epoch + 1;
  const oldest = state.epochs.at(-1)?.header.epoch ?? ended;
  return epoch >= oldest && !isPast(state, epochId);
}

/**
 * Whether an epoch would be held if its shares came: one older than the newest only as long as that one is held, and as
 * one of the three.
 */
export function isWanted(state: MemberGroup, { header, epochId, dealHash }: DealtHeader): boolean {
  if (epochOf(state.epochs, epochId) !== undefined || isPast(state, epochId)) return false;
  if (isPast(state, dealHash) || passesOver(state.chain, header)) return false;
  const newest = state.newest?.epoch ?? 0;
  if (header.epoch > newest) return true;
  const last = state.epochs[MAX_EPOCHS - 1];
  return (
    state.epochs[0]?.header.epoch === newest && (last === undefined || header.epoch >= last.header.epoch)
  );
}

/** GRP-10: takes note of a node's notice. @param due from {@link readBroadcast}; it is of this group. */
export function receiveDue(state: MemberGroup, due: GroupDue, nowMs: number): MemberStep {
  checkGroup(state, due.groupId);
  const basis = basisOf(state);
  if (basis === undefined || due.epoch < basis.epoch || !basis.nodes.includes(due.nodeId)) {
    return { state, output: { kind: 'nothing' }, consumed: [] };
  }
  const next = { ...state, notices: withNotice(state.notices, due, nowMs) };
  const belief = believedDue(next);
  const isNew = belief !== undefined && !sameDue(belief, believedDue(state));
  return { state: next, output: isNew ? { kind: 'due', due: belief } : { kind: 'nothing' }, consumed: [] };
}

/** GRP-10: what k nodes say of an epoch that needs another one; undefined when they say nothing. */
export function believedDue(state: MemberGroup): BelievedDue | undefined {
  const basis = basisOf(state);
  return basis && believed(state.notices, basis.threshold, state.deviceId);
}

/** Which nodes are asked and how many are believed: of the newest epoch, before the first one of what waits for shares. */
function basisOf({ newest, gatherings }: MemberGroup): NewestEpoch | undefined {
  return newest ?? gatherings.map(({ header }) => ({ ...header, epoch: 0 }))[0];
}

/**
 * GRP-9, GRP-10: the epoch under which the member sends: the newest that it ever held, while that is accepted and k nodes
 * do not say that somebody is out of it or of one that follows. Who was revoked holds it up until the member has a newer
 * epoch, who left for at most twice the bound.
 */
export function sendingEpoch(state: MemberGroup, nowMs: number, boundMs: number): HeldEpoch | undefined {
  const [epoch] = acceptedEpochs(state.epochs, nowMs, boundMs);
  if (epoch === undefined || epoch.header.epoch !== state.newest?.epoch) return undefined;
  const due = believedDue(state);
  const isHeldUp =
    due !== undefined && due.out.length > 0 && (due.reason === 'revoked' || nowMs < due.lastMs + 2 * boundMs);
  return isHeldUp ? undefined : epoch;
}

function sameDue(one: BelievedDue, other: BelievedDue | undefined): boolean {
  return (
    other !== undefined &&
    equalConstantTime(one.epochId, other.epochId) &&
    one.reason === other.reason &&
    one.out.length === other.out.length &&
    one.turn?.place === other.turn?.place &&
    one.turn?.of === other.turn?.of
  );
}

/** @throws GROUP_UNKNOWN */
export function checkGroup(state: MemberGroup, groupId: Uint8Array): void {
  if (!equalConstantTime(state.groupId, groupId)) {
    throw new SymmetraError('GROUP_UNKNOWN', 'this is of another group', { group: toHex(groupId) });
  }
}

export function isPast(state: MemberGroup, id: Uint8Array): boolean {
  return state.past.some((one) => equalConstantTime(one, id));
}

export function withPast(past: readonly Uint8Array[], more: readonly Uint8Array[]): readonly Uint8Array[] {
  return [...past, ...more].slice(-MAX_PAST);
}
