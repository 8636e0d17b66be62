import { SymmetraError, equalConstantTime, toHex } from '@symmetra/crypto';
import type { ProtocolContext } from '../context.js';
import type { Roster } from '../tree/roster.js';
import { mayDeal } from './approval.js';
import type { DealBasis, DealScene, GroupDeal } from './approval.js';
import { countEchoes, echoQuorum } from './echo.js';
import { decodeGroupHeader } from './header.js';
import type { GroupHeader } from './header.js';
import type { DealView, NodeGroup } from './node-group.js';

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

/** GRP-11: whether a node that has another epoch in force, or none, may follow the deal of the others. */
function basisBehind(
  header: GroupHeader,
  scene: Omit<DealScene, 'basis'>,
  deal: GroupDeal,
  { rules, echoes, dealt }: DealView,
  hash: Uint8Array,
): DealBasis | undefined {
  if (dealt === undefined) return undefined;
  const others = header.nodes.filter((node) => node !== rules.nodeId);
  const standing = countEchoes(echoes, others, hash);
  if (standing >= echoQuorum(header.nodes.length, header.threshold)) return 'vouched';
  const mayFollow = standing > 0 && scene.inForce !== undefined && mayDeal(header, scene);
  return mayFollow && undoesNothing(scene.roster, dealt, deal) ? 'own' : undefined;
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
