import { Secret, SymmetraError, equalConstantTime, toHex } from '@symmetra/crypto';
import type { ProtocolContext, Step } from '../context.js';
import type { HeaderFloors } from '../pairwise/responder.js';
import type { Share } from '../pairwise/transcript.js';
import { advancePath } from '../tree/path.js';
import type { EpochBroadcast } from './broadcast.js';
import { MAX_EPOCHS, acceptedEpochs, epochOf, epochSecrets, newerFirst } from './epochs.js';
import type { HeldEpoch } from './epochs.js';
import type { GroupDue } from './due.js';
import { echoQuorum } from './echo.js';
import { gather, gatheredShares, rebuild } from './gathering.js';
import type { Gathering } from './gathering.js';
import { believed, withNotice } from './notices.js';
import type { BelievedDue, HeldNotice } from './notices.js';
import { checkDealt, checkShare } from './welcome.js';
import type { DealtHeader, NodePath, ReadWelcome } from './welcome.js';

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
  /** The newest epoch that was ever held. */
  readonly newest: NewestEpoch | undefined;
  /** Ids of epochs that were held, and hashes of deals whose tag did not fit; the last ones. */
  readonly past: readonly Uint8Array[];
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
  /** k nodes say that this member is out: the state is to be deleted, all of it is in `consumed`. */
  | { readonly kind: 'out'; readonly epochId: Uint8Array }
  /** k nodes say that the newest epoch needs another one; what they say is new. */
  | { readonly kind: 'due'; readonly due: BelievedDue };

/** One step of a member of a group. */
export type MemberStep = Step<MemberGroup, MemberOutput>;

/** GRP-9: a member that nobody told anything yet; the first welcome begins with it. */
export function newMember(groupId: Uint8Array, deviceId: Uint8Array): MemberGroup {
  return {
    groupId,
    deviceId,
    paths: [],
    gatherings: [],
    epochs: [],
    newest: undefined,
    past: [],
    farewells: [],
    notices: [],
  };
}

/** Everything that has to be erased when a member gives a group up. */
export function memberSecrets(state: MemberGroup): readonly { wipe(): void }[] {
  const keys = state.paths.map((path) => path.keys);
  return [...keys, ...gatheredShares(state.gatherings), ...epochSecrets(state.epochs)];
}

/**
 * GRP-8, GRP-9: a welcome takes the place of what the member had of the node, unless it is older than what the member
 * holds. Store the state, confirm, then wipe.
 * @param welcome from {@link readWelcome}; it is of this group.
 */
export function receiveWelcome(
  context: ProtocolContext,
  state: MemberGroup,
  welcome: ReadWelcome,
  nowMs: number,
): MemberStep {
  const { dealt, path, share } = welcome;
  checkGroup(state, dealt.header.groupId);
  const { epoch } = dealt.header;
  if (epoch < (state.newest?.epoch ?? 0)) {
    return { state, output: { kind: 'nothing' }, consumed: [path.keys, ...(share ? [share] : [])] };
  }
  return withDelivery(context, state, dealt, path, share, nowMs);
}

/**
 * GRP-7, GRP-9: a node's broadcast takes the member's path one step on, and brings the share.
 * @param broadcast from {@link readBroadcast}; it is of this group.
 * @throws NOT_IN_NODE_SET, BELOW_FLOOR, SUITE_FORBIDDEN, AUTHENTICATION_FAILED, SHARE_MISMATCH; the state stays as it is
 */
export function receiveEpochBroadcast(
  context: ProtocolContext,
  floors: HeaderFloors,
  state: MemberGroup,
  broadcast: EpochBroadcast,
  nowMs: number,
): MemberStep {
  const { nodeId, header } = broadcast;
  checkGroup(state, header.groupId);
  const dealt = checkDealt(context, floors, nodeId, broadcast);
  const path = state.paths.find((one) => one.nodeId === nodeId);
  if (path !== undefined && equalConstantTime(path.epochId, dealt.epochId)) {
    return { state, output: { kind: 'nothing' }, consumed: [] };
  }
  const isNext =
    path !== undefined && equalConstantTime(path.epochId, broadcast.from) && path.step + 1 === broadcast.step;
  if (!isNext) {
    return { state, output: { kind: 'waiting' }, consumed: [] };
  }
  if (broadcast.vacated.some(({ first, count }) => path.place >= first && path.place < first + count)) {
    return withFarewell(state, dealt, nodeId);
  }
  const { path: next, share } = advanced(context, path, broadcast, dealt.epochId);
  try {
    return withDelivery(context, state, dealt, next, checkShare(context, header, nodeId, share), nowMs);
  } catch (error) {
    next.keys.wipe();
    share.fill(0);
    throw error;
  }
}

/** GRP-9: all keys of the path one step on, the seals on it, the share. @throws AUTHENTICATION_FAILED */
function advanced(
  context: ProtocolContext,
  path: NodePath,
  broadcast: EpochBroadcast,
  epochId: Uint8Array,
): { readonly path: NodePath; readonly share: Uint8Array } {
  const { nodeId, header, step, nonce, seals, sealedShare } = broadcast;
  const { groupId, height, epoch } = header;
  const scope = {
    suite: context.suites.get(header.suiteId),
    networkId: context.networkId,
    groupId,
    nodeId,
  };
  const update = { step, nonce, epochId, height, seals, sealedShare };
  const result = advancePath(scope, { ...path, keys: path.keys.bytes }, update);
  const keys = Secret.of('TreePath', result.path.keys);
  return { path: { nodeId, epoch, epochId, place: path.place, height, step, keys }, share: result.share };
}

/** GRP-9: k nodes that say so of one epoch id end the group for this member. */
function withFarewell(state: MemberGroup, dealt: DealtHeader, nodeId: string): MemberStep {
  const { epochId, header } = dealt;
  const farewells = [...state.farewells.filter((one) => one.nodeId !== nodeId), { nodeId, epochId }];
  const saying = farewells.filter((one) => equalConstantTime(one.epochId, epochId));
  if (saying.length < header.threshold) {
    return { state: { ...state, farewells }, output: { kind: 'nothing' }, consumed: [] };
  }
  return {
    state: newMember(state.groupId, state.deviceId),
    output: { kind: 'out', epochId },
    consumed: memberSecrets(state),
  };
}

/** GRP-9: the node's path takes the place of its former one, and its share is gathered. */
function withDelivery(
  context: ProtocolContext,
  before: MemberGroup,
  dealt: DealtHeader,
  path: NodePath,
  share: Share | undefined,
  nowMs: number,
): MemberStep {
  const { nodeId } = path;
  const former = before.paths.find((one) => one.nodeId === nodeId);
  const state: MemberGroup = {
    ...before,
    paths: [...before.paths.filter((one) => one !== former), path],
    farewells: before.farewells.filter((one) => one.nodeId !== nodeId),
  };
  const next = withShare(context, state, dealt, nodeId, share, nowMs);
  return { ...next, consumed: [...(former ? [former.keys] : []), ...next.consumed] };
}

function withShare(
  context: ProtocolContext,
  state: MemberGroup,
  dealt: DealtHeader,
  nodeId: string,
  share: Share | undefined,
  nowMs: number,
): MemberStep {
  const unused = share ? [share] : [];
  const { epochId } = dealt;
  if (epochOf(state.epochs, epochId) !== undefined || isPast(state, epochId)) {
    return { state, output: { kind: 'held', epochId, confirmTo: [nodeId] }, consumed: unused };
  }
  if (share === undefined || !isWanted(state, dealt)) {
    return { state, output: { kind: 'nothing' }, consumed: unused };
  }
  const { gatherings, consumed } = gather(state.gatherings, dealt, nodeId, share);
  const own = gatherings.find((one) => equalConstantTime(one.dealHash, dealt.dealHash));
  if (own === undefined || own.shares.length < quorumOf(dealt)) {
    return { state: { ...state, gatherings }, output: { kind: 'nothing' }, consumed };
  }
  const next = completed(context, { ...state, gatherings }, own, nowMs);
  return { ...next, consumed: [...consumed, ...next.consumed] };
}

/** GRP-5, GRP-9: how many nodes make an epoch. */
function quorumOf({ header }: DealtHeader): number {
  return echoQuorum(header.nodes.length, header.threshold);
}

/** GRP-9: q shares under one deal hash: the epoch's keys, or the end of that deal. */
function completed(
  context: ProtocolContext,
  state: MemberGroup,
  gathering: Gathering,
  nowMs: number,
): MemberStep {
  const { header, epochId } = gathering;
  const secrets = rebuild(context, gathering);
  if (secrets === undefined) {
    const next = {
      ...state,
      gatherings: state.gatherings.filter((one) => one !== gathering),
      past: withPast(state.past, [gathering.dealHash]),
    };
    const output = { kind: 'misfit', epochId, dealer: header.dealer } as const;
    return { state: next, output, consumed: gatheredShares([gathering]) };
  }
  const { applicationKey, messageKey, fingerprint } = secrets;
  const epoch: HeldEpoch = { epochId, header, applicationKey, messageKey, fingerprint, receivedMs: nowMs };
  const next = withEpoch(state, epoch);
  const confirmTo = state.paths
    .filter((path) => equalConstantTime(path.epochId, epochId))
    .map(({ nodeId }) => nodeId);
  return { ...next, output: { kind: 'epoch', epoch, confirmTo } };
}

function withEpoch(before: MemberGroup, epoch: HeldEpoch): Omit<MemberStep, 'output'> {
  const { epoch: number, threshold, nodes } = epoch.header;
  const isNewest = number >= (before.newest?.epoch ?? 0);
  const newest = isNewest ? { epoch: number, threshold, nodes } : before.newest;
  const notices = before.notices.filter((notice) => notice.epoch >= (newest?.epoch ?? 0));
  const epochs = [...before.epochs, epoch].toSorted(newerFirst);
  return keeping({ ...before, newest, notices, epochs }, epochs.slice(0, MAX_EPOCHS));
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
  const oldest = epochs.at(-1)?.header.epoch ?? (before.newest?.epoch ?? 0) + 1;
  const isKept = ({ epoch }: NodePath): boolean => epoch >= oldest;
  const state: MemberGroup = { ...before, epochs, past, paths: before.paths.filter(isKept) };
  const isWaiting = (one: Gathering): boolean => isWanted(state, one);
  const consumed = [
    ...epochSecrets(over),
    ...before.paths.filter((path) => !isKept(path)).map(({ keys }) => keys),
    ...gatheredShares(before.gatherings.filter((one) => !isWaiting(one))),
  ];
  return { state: { ...state, gatherings: before.gatherings.filter(isWaiting) }, consumed };
}

/**
 * Whether an epoch would be held if its shares came: one older than the newest only as long as that one is held, and as
 * one of the three.
 */
function isWanted(state: MemberGroup, { header, epochId, dealHash }: DealtHeader): boolean {
  if (epochOf(state.epochs, epochId) !== undefined || isPast(state, epochId)) return false;
  if (isPast(state, dealHash)) return false;
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
  const { newest } = state;
  if (newest === undefined || due.epoch < newest.epoch || !newest.nodes.includes(due.nodeId)) {
    return { state, output: { kind: 'nothing' }, consumed: [] };
  }
  const next = { ...state, notices: withNotice(state.notices, due, nowMs) };
  const belief = believedDue(next);
  const isNew = belief !== undefined && !sameDue(belief, believedDue(state));
  return { state: next, output: isNew ? { kind: 'due', due: belief } : { kind: 'nothing' }, consumed: [] };
}

/** GRP-10: what k nodes say of an epoch that needs another one; undefined when they say nothing. */
export function believedDue(state: MemberGroup): BelievedDue | undefined {
  const { newest, notices, deviceId } = state;
  return newest && believed(notices, newest.threshold, deviceId);
}

/**
 * GRP-9, GRP-10: the epoch under which the member sends: the newest that it ever held, while that is accepted and k nodes
 * do not say that somebody in it is out. A notice holds it up for at most twice the bound.
 */
export function sendingEpoch(state: MemberGroup, nowMs: number, boundMs: number): HeldEpoch | undefined {
  const [epoch] = acceptedEpochs(state.epochs, nowMs, boundMs);
  if (epoch === undefined || epoch.header.epoch !== state.newest?.epoch) return undefined;
  const due = believedDue(state);
  const isHeldUp =
    due !== undefined &&
    due.out.length > 0 &&
    equalConstantTime(due.epochId, epoch.epochId) &&
    nowMs < due.sinceMs + 2 * boundMs;
  return isHeldUp ? undefined : epoch;
}

function sameDue(one: BelievedDue, other: BelievedDue | undefined): boolean {
  return (
    other !== undefined &&
    equalConstantTime(one.epochId, other.epochId) &&
    one.out.length === other.out.length &&
    one.turn?.place === other.turn?.place &&
    one.turn?.of === other.turn?.of
  );
}

/** @throws GROUP_UNKNOWN */
function checkGroup(state: MemberGroup, groupId: Uint8Array): void {
  if (!equalConstantTime(state.groupId, groupId)) {
    throw new SymmetraError('GROUP_UNKNOWN', 'this is of another group', { group: toHex(groupId) });
  }
}

function isPast(state: MemberGroup, id: Uint8Array): boolean {
  return state.past.some((one) => equalConstantTime(one, id));
}

function withPast(past: readonly Uint8Array[], more: readonly Uint8Array[]): readonly Uint8Array[] {
  return [...past, ...more].slice(-MAX_PAST);
}
