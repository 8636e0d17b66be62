import { Secret, equalConstantTime } from '@symmetra/crypto';
import type { ProtocolContext } from '../context.js';
import type { HeaderFloors } from '../pairwise/responder.js';
import type { Share } from '../pairwise/transcript.js';
import { advancePath } from '../tree/path.js';
import type { EpochBroadcast } from './broadcast.js';
import { passesOver } from './chain.js';
import { echoQuorum } from './echo.js';
import { epochOf } from './epochs.js';
import type { HeldEpoch } from './epochs.js';
import { gather, gatheredShares, rebuild } from './gathering.js';
import type { Gathering } from './gathering.js';
import {
  checkGroup,
  isFollowed,
  isPast,
  isWanted,
  memberSecrets,
  newMember,
  withEpoch,
  withPast,
} from './member.js';
import type { MemberGroup, MemberOutput, MemberStep } from './member.js';
import { checkDealt, checkShare } from './welcome.js';
import type { DealtHeader, NodePath, ReadWelcome } from './welcome.js';

/**
 * GRP-8, GRP-9: a welcome takes the place of what the member had of the node, unless both that and the newest epoch are
 * of a higher number: then it came late. Store the state, confirm, then wipe.
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
  const former = state.paths.find((one) => one.nodeId === path.nodeId);
  const consumed = [path.keys, ...(share ? [share] : [])];
  if (path.epoch < Math.min(former?.epoch ?? 0, state.newest?.epoch ?? 0)) {
    return { state, output: { kind: 'nothing' }, consumed };
  }
  if (passesOver(state.chain, dealt.header)) return { state, output: forked(dealt), consumed };
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
  if (passesOver(state.chain, header)) return { state, output: forked(dealt), consumed: [] };
  const { path: next, share } = advanced(context, path, broadcast, dealt.epochId);
  try {
    return withDelivery(context, state, dealt, next, checkShare(context, header, nodeId, share), nowMs);
  } catch (error) {
    next.keys.wipe();
    share.fill(0);
    throw error;
  }
}

/** GRP-9: an epoch that is refused, whoever brings it. */
function forked({ epochId, header }: DealtHeader): MemberOutput {
  return { kind: 'fork', epochId, epoch: header.epoch, dealer: header.dealer };
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

/** GRP-9: the node's path takes the place of its former one when it is worth keeping, and its share is gathered. */
function withDelivery(
  context: ProtocolContext,
  before: MemberGroup,
  dealt: DealtHeader,
  path: NodePath,
  share: Share | undefined,
  nowMs: number,
): MemberStep {
  const { nodeId } = path;
  const isKept = isFollowed(before, path);
  const others = before.paths.filter((one) => one.nodeId !== nodeId);
  const state: MemberGroup = {
    ...before,
    paths: isKept ? [...others, path] : before.paths,
    farewells: before.farewells.filter((one) => one.nodeId !== nodeId),
  };
  const former = before.paths.filter((one) => one.nodeId === nodeId);
  const next = withShare(context, state, dealt, nodeId, share, nowMs);
  const left = (isKept ? former : [path]).map(({ keys }) => keys);
  return { ...next, consumed: [...left, ...next.consumed] };
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
