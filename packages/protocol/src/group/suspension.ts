import { SymmetraError, equalConstantTime } from '@symmetra/crypto';
import type { ProtocolContext, Step } from '../context.js';
import type { Roster, RosterChanges } from '../tree/roster.js';
import { decodeGroupHeader } from './header.js';
import { sharesOf, withoutPending } from './node-group.js';
import type { NodeGroup } from './node-group.js';
import { dealingOrder, membershipAfter } from './order.js';
import type { OutDevice } from './order.js';

/** GRP-10: whether somebody of the epoch in force is out, so that it is delivered to nobody. */
export function isSuspended({ out }: NodeGroup, roster: Roster): boolean {
  return out.some(({ deviceId }) => roster.placeOf(deviceId) !== undefined);
}

/** What became of a group when a device left or was revoked. */
export interface Suspension {
  /** `suspended`: an epoch is due. `ended`: nobody is left. */
  readonly effect: 'nothing' | 'suspended' | 'ended';
  /** The device was in the roster of the pending deal, which is given up with its changes. */
  readonly dropped: boolean;
}

/**
 * GRP-10: a device left, or was revoked. Repeating it changes nothing.
 * @param changes of the pending deal.
 * @throws GROUP_NOT_MEMBER when a device leaves that is in no roster.
 */
export function suspend(
  context: ProtocolContext,
  state: NodeGroup,
  roster: Roster,
  changes: RosterChanges | undefined,
  { deviceId, reason }: OutDevice,
): Step<NodeGroup, Suspension> {
  const member = roster.placeOf(deviceId) !== undefined;
  const earlier = state.out.find((one) => equalConstantTime(one.deviceId, deviceId));
  const dropped =
    state.pending !== undefined && changes !== undefined && membershipAfter(roster, changes)(deviceId);
  if (earlier !== undefined ? earlier.reason === 'revoked' || reason === 'left' : !member && !dropped) {
    if (earlier === undefined && reason === 'left') {
      throw new SymmetraError('GROUP_NOT_MEMBER', 'the device is not a member of the group');
    }
    return { state, output: { effect: 'nothing', dropped: false }, consumed: [] };
  }
  const out = [...state.out.filter((one) => one !== earlier), { deviceId, reason }];
  const next: NodeGroup = { ...(dropped ? withoutPending(state) : state), out };
  const given = dropped ? sharesOf(state.pending) : [];
  if (hasEnded(context, next, roster)) {
    const { groupId, past, echoed } = state;
    return {
      state: { groupId, past, out: [], ...(echoed && { echoed }), ended: true },
      output: { effect: 'ended', dropped },
      consumed: [...given, ...sharesOf(state.inForce)],
    };
  }
  return { state: next, output: { effect: member ? 'suspended' : 'nothing', dropped }, consumed: given };
}

/** When all are out; only with as many who are out as there are members is it worth the look. */
function hasEnded(context: ProtocolContext, state: NodeGroup, roster: Roster): boolean {
  const { inForce, pending, out } = state;
  if (inForce === undefined || pending !== undefined || out.length < roster.size) return false;
  return orderOf(context, state, roster).length === 0;
}

/** GRP-10: who deals for the group now, and who next; empty without an epoch in force. */
export function orderOf(context: ProtocolContext, state: NodeGroup, roster: Roster): readonly Uint8Array[] {
  if (state.inForce === undefined) return [];
  return dealingOrder(decodeGroupHeader(context, state.inForce.header).managers, roster, state.out);
}
