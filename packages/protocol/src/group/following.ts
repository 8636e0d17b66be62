import { SymmetraError, equalConstantTime, toHex } from '@symmetra/crypto';
import type { ProtocolContext } from '../context.js';
import type { Roster } from '../tree/roster.js';
import { mayDeal } from './approval.js';
import type { DealBasis, DealScene, GroupDeal } from './approval.js';
import { countEchoes, echoQuorum } from './echo.js';
import type { EchoBook } from './echo.js';
import { decodeGroupHeader } from './header.js';
import type { GroupHeader } from './header.js';
import { MAX_EPOCH_SKIP } from './dealer.js';
import type { DealView, NodeGroup } from './node-group.js';

/**
 * GRP-4: whether the number of a deal may come next here.
 * @throws GROUP_EPOCH_OLD, GROUP_CONFLICT
 */
export function checkEpoch(
  state: NodeGroup | undefined,
  header: GroupHeader,
  { rules, echoes }: DealView,
  hash: Uint8Array,
): void {
  const held = state?.inForce?.epoch ?? 0;
  if (header.epoch <= held) {
    throw new SymmetraError('GROUP_EPOCH_OLD', 'an epoch of this number or a higher one is in force', {
      epoch: held,
    });
  }
  const { epoch, dealHash } = state?.echoed ?? { epoch: held, dealHash: hash };
  const known = Math.max(held, epoch);
  if (header.epoch < known || (header.epoch === epoch && !equalConstantTime(dealHash, hash))) {
    throw new SymmetraError(
      'GROUP_CONFLICT',
      'another deal of this epoch, or of a higher one, was echoed here',
      {
        epoch: known,
      },
    );
  }
  const quorum = echoQuorum(header.nodes.length, header.threshold);
  if (header.epoch > known + MAX_EPOCH_SKIP && vouchers(header, rules.nodeId, echoes, hash) < quorum) {
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
  if (header.previous.length === 0) {
    checkFirst(context, state, header);
    return { ...scene, basis: 'first' };
  }
  if (current !== undefined && equalConstantTime(header.previous, current.epochId)) {
    return { ...scene, basis: 'next' };
  }
  const basis = basisBehind(header, scene, deal, view, hash);
  if (basis === undefined) throw behind(state);
  return { ...scene, basis };
}

/** @throws GROUP_ENDED, GROUP_EXISTS */
function checkFirst(context: ProtocolContext, state: NodeGroup | undefined, header: GroupHeader): void {
  if (state?.ended === true) throw behind(state);
  const { pending } = state ?? {};
  const other =
    pending && !equalConstantTime(decodeGroupHeader(context, pending.header).dealer, header.dealer);
  if (state?.inForce !== undefined || other === true) {
    throw new SymmetraError('GROUP_EXISTS', 'there is a group of this id already');
  }
}

/**
 * GRP-11: whether a node that has another epoch in force, or none, may follow the deal of the others: when q of them
 * echo it; or when so many do that the epoch in force here can not have come to a member, the dealer may deal here too,
 * and undoes nothing.
 */
function basisBehind(
  header: GroupHeader,
  scene: Omit<DealScene, 'basis'>,
  deal: GroupDeal,
  { rules, echoes, dealt }: DealView,
  hash: Uint8Array,
): DealBasis | undefined {
  if (dealt === undefined) return undefined;
  const quorum = echoQuorum(header.nodes.length, header.threshold);
  const standing = vouchers(header, rules.nodeId, echoes, hash);
  if (standing >= quorum) return 'vouched';
  const mayFollow =
    standing > header.nodes.length - quorum && scene.inForce !== undefined && mayDeal(header, scene);
  return mayFollow && undoesNothing(scene.roster, dealt, deal) ? 'own' : undefined;
}

/** How many other nodes echo a deal. */
function vouchers(header: GroupHeader, nodeId: string, echoes: EchoBook, hash: Uint8Array): number {
  const others = header.nodes.filter((node) => node !== nodeId);
  return countEchoes(echoes, others, hash);
}

/** Whether the dealer named everybody who comes or goes relative to the roster that this node has. */
function undoesNothing(roster: Roster, dealt: Roster, { removed, added }: GroupDeal): boolean {
  return named(roster, dealt, removed) && named(dealt, roster, added);
}

/** Whether everybody who is in one roster and not in the other is named. */
function named(one: Roster, other: Roster, names: readonly Uint8Array[]): boolean {
  const known = new Set(names.map(toHex));
  for (const { deviceId } of one.members()) {
    if (other.placeOf(deviceId) === undefined && !known.has(toHex(deviceId))) return false;
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
