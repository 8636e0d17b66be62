import { SymmetraError, equalConstantTime } from '@symmetra/crypto';
import type { ProtocolContext } from '../context.js';
import { nameOf } from '../tree/roster.js';
import type { Roster } from '../tree/roster.js';
import { mayDeal } from './approval.js';
import type { DealScene, GroupDeal } from './approval.js';
import { countEchoes, countNewest, countPassed, echoQuorum } from './echo.js';
import type { EchoedDeal } from './echo.js';
import { dealHash, decodeGroupHeader, groupEpochId } from './header.js';
import type { GroupHeader } from './header.js';
import { MAX_EPOCH_SKIP } from './dealer.js';
import type { DealView, NodeGroup } from './node-group.js';
import type { OutDevice } from './order.js';

/** What is the same on every basis. */
type Found = Omit<DealScene, 'basis'>;

/**
 * GRP-4: whether the number of a deal may come next here.
 * @throws GROUP_EPOCH_OLD, GROUP_CONFLICT
 */
export function checkEpoch(
  state: NodeGroup | undefined,
  header: GroupHeader,
  view: DealView,
  hash: Uint8Array,
): void {
  const held = state?.inForce?.epoch ?? 0;
  if (header.epoch <= held) {
    throw new SymmetraError('GROUP_EPOCH_OLD', 'an epoch of this number or a higher one is in force', {
      epoch: held,
    });
  }
  const echoed = state?.echoed ?? { epoch: held, dealHash: hash };
  const known = Math.max(held, echoed.epoch);
  if (header.epoch < known || (header.epoch === echoed.epoch && !equalConstantTime(echoed.dealHash, hash))) {
    throw new SymmetraError(
      'GROUP_CONFLICT',
      'another deal of this epoch, or of a higher one, was echoed here',
      {
        epoch: known,
      },
    );
  }
  if (header.epoch > known + MAX_EPOCH_SKIP && vouchers(header, view, hash) < quorumOf(header)) {
    throw new SymmetraError('GROUP_CONFLICT', 'the deal skips too many epochs', { epoch: known });
  }
}

/**
 * GRP-4, GRP-11: what a deal follows at this node.
 * @throws GROUP_EXISTS, GROUP_ENDED, GROUP_UNKNOWN, GROUP_BEHIND
 */
export function sceneOf(
  context: ProtocolContext,
  state: NodeGroup | undefined,
  header: GroupHeader,
  deal: GroupDeal,
  view: DealView,
  hash: Uint8Array,
): DealScene {
  const { roster, standingOf } = view;
  const current = state?.inForce;
  const scene = {
    roster,
    standingOf,
    out: state?.out ?? [],
    ...(current && { inForce: decodeGroupHeader(context, current.header) }),
  };
  const isFirst = header.previous.length === 0;
  if (isFirst && isFree(context, state, header)) return { ...scene, basis: 'first' };
  if (current !== undefined && equalConstantTime(header.previous, current.epochId)) {
    return { ...scene, basis: 'next' };
  }
  const standing = vouchers(header, view, hash);
  const followed =
    vouchedScene(header, scene, view, standing) ??
    (standing > 0 ? ownScene(header, scene, deal, view, current) : undefined) ??
    basedScene(context, state, header, scene, view, hash);
  if (followed !== undefined) return followed;
  if (!isFirst || state?.ended === true) throw behind(state);
  throw new SymmetraError('GROUP_EXISTS', 'there is a group of this id already');
}

/** Whether a group may begin here: none of its id did, or what the same dealer began is not in force. */
function isFree(context: ProtocolContext, state: NodeGroup | undefined, header: GroupHeader): boolean {
  if (state === undefined) return true;
  const { pending, inForce, ended } = state;
  if (ended || inForce !== undefined) return false;
  return (
    pending === undefined ||
    equalConstantTime(decodeGroupHeader(context, pending.header).dealer, header.dealer)
  );
}

/** GRP-11, 1: q other nodes echo the deal. */
function vouchedScene(
  header: GroupHeader,
  scene: Found,
  { dealt }: DealView,
  standing: number,
): DealScene | undefined {
  if (dealt === undefined || standing < quorumOf(header)) return undefined;
  return { ...scene, basis: 'vouched', after: dealt };
}

/**
 * GRP-11, 2: so many nodes passed over the epoch in force here that no member holds it; the dealer may deal here too, and
 * undoes no removal.
 */
function ownScene(
  header: GroupHeader,
  scene: Found,
  deal: GroupDeal,
  { rules, echoes, dealt }: DealView,
  current: EchoedDeal | undefined,
): DealScene | undefined {
  if (dealt === undefined || current === undefined || !mayDeal(header, scene)) return undefined;
  const passed = countPassed(echoes, othersOf(header, rules.nodeId), current);
  const follows = passed > header.nodes.length - quorumOf(header) && undoesNothing(scene.roster, dealt, deal);
  return follows ? { ...scene, basis: 'own', after: dealt } : undefined;
}

/**
 * GRP-11, 3: checks the deal as one that follows the epoch that q nodes stand by, when that is newer than the one here, and
 * as their newest when there is none here. A node that echoed that epoch itself is one of them, and to it those count too
 * that gave it up. Who left by what this node heard may be a member again when q others stand by the epoch, or when the
 * epoch removed it: who gave the epoch up may have done so because of that leave.
 */
function basedScene(
  context: ProtocolContext,
  state: NodeGroup | undefined,
  header: GroupHeader,
  scene: Found,
  view: DealView,
  next: Uint8Array,
): DealScene | undefined {
  const { base } = view;
  if (base === undefined || state?.ended === true) return undefined;
  const inForce = decodeGroupHeader(context, base.header);
  const suite = context.suites.get(inForce.suiteId);
  const fits =
    equalConstantTime(groupEpochId(suite, base.header), header.previous) &&
    equalConstantTime(inForce.groupId, header.groupId) &&
    equalConstantTime(inForce.rosterRoot, base.roster.root()) &&
    inForce.members === base.roster.size &&
    inForce.height === base.roster.height &&
    inForce.epoch > (state?.inForce?.epoch ?? 0);
  const hash = dealHash(suite, base.header, base.tag);
  const isOwn = hasEchoed(state, hash);
  const isNew = state?.inForce === undefined;
  const others = othersOf(header, view.rules.nodeId);
  const quorum = quorumOf(header);
  const followed = { epoch: inForce.epoch, dealHash: hash };
  const standing = countEchoes(view.echoes, others, hash);
  const heeded = isNew ? countNewest(view.echoes, others, followed, next) : standing;
  const backing = isOwn ? countEchoes(view.echoes, others, hash, 'echoed') + 1 : heeded;
  if (!fits || backing < quorum) return undefined;
  const based = { ...scene, basis: 'based', roster: base.roster, inForce } as const;
  const isOutweighed = ({ deviceId, reason }: OutDevice): boolean =>
    reason === 'left' && (standing >= quorum || base.roster.placeOf(deviceId) === undefined);
  const outweighed = { ...based, out: scene.out.filter((one) => !isOutweighed(one)) };
  return mayDeal(header, outweighed) ? outweighed : based;
}

/** Whether this node echoed a deal since its epoch in force. */
function hasEchoed(state: NodeGroup | undefined, hash: Uint8Array): boolean {
  const echoed = [state?.echoed, ...(state?.givenUp ?? [])];
  return echoed.some((one) => one !== undefined && equalConstantTime(one.dealHash, hash));
}

function othersOf(header: GroupHeader, nodeId: string): readonly string[] {
  return header.nodes.filter((node) => node !== nodeId);
}

function quorumOf({ nodes, threshold }: GroupHeader): number {
  return echoQuorum(nodes.length, threshold);
}

/** How many other nodes of a header echo a deal. */
function vouchers(header: GroupHeader, { rules, echoes }: DealView, hash: Uint8Array): number {
  return countEchoes(echoes, othersOf(header, rules.nodeId), hash);
}

/** Whether the dealer named everybody who comes relative to the roster that this node has: so no removal is undone. */
function undoesNothing(roster: Roster, dealt: Roster, { added }: GroupDeal): boolean {
  const named = new Set(added.map(nameOf));
  for (const { deviceId } of dealt.members()) {
    if (roster.placeOf(deviceId) === undefined && !named.has(nameOf(deviceId))) return false;
  }
  return true;
}

function behind(state: NodeGroup | undefined): SymmetraError {
  if (state?.ended === true) return new SymmetraError('GROUP_ENDED', 'nobody is left in the group');
  if (state?.inForce === undefined) return new SymmetraError('GROUP_UNKNOWN', 'there is no such group here');
  return new SymmetraError('GROUP_BEHIND', 'another epoch than the one before this deal is in force here', {
    epoch: state.inForce.epoch,
  });
}
