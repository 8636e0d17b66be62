import { MAX_ORDER, MAX_OUT, encodeGroupDue, isSuspended, orderOf, signBroadcast } from '@symmetra/protocol';
import type { DueReason } from '@symmetra/protocol';
import type { MessageInput } from '@symmetra/rpc';
import type { ControlState } from '../control/control-state.js';
import { hexOf } from '../rows/row-keys.js';
import type { Presences } from '../presence/presences.js';
import type { GroupPass } from './group-pass.js';
import type { HeldGroup } from './held-group.js';

type Broadcast = MessageInput<'symmetra.group.v1.Broadcast'>;

export interface NoticesParts {
  readonly state: ControlState;
  readonly presences: Presences;
  readonly pass: GroupPass;
}

/** GRP-10: signed notices that another epoch is due. All of it runs within work on the group. */
export class Notices {
  readonly #parts: NoticesParts;

  constructor(parts: NoticesParts) {
    this.#parts = parts;
  }

  /** Whether the epoch in force is suspended. */
  isDue({ row, roster }: HeldGroup): boolean {
    return row?.group.inForce !== undefined && isSuspended(row.group, roster);
  }

  /** To all members, of a group that is suspended; to those that deal also when their home does not have the group. */
  async send(group: HeldGroup): Promise<void> {
    const { state, presences, pass } = this.#parts;
    const notice = this.#suspended(group);
    pass.broadcast(group.groupHex, notice);
    for (const deviceHex of orderOf(state.context, group.current().state, group.roster).map(hexOf)) {
      const presence = await presences.find(deviceHex);
      if (presence !== undefined) pass.broadcastTo(deviceHex, presence.home, notice);
    }
  }

  /** To all members, as a member asked: nothing is suspended. */
  sendUsedUp(group: HeldGroup): void {
    this.#parts.pass.broadcast(group.groupHex, this.#sign(group, 'used-up'));
  }

  /** To a member that attached, if it is one of those that deal. */
  remind(group: HeldGroup, deviceHex: string, home: string): void {
    const { state, pass } = this.#parts;
    if (group.row === undefined) return;
    const order = orderOf(state.context, group.row.group, group.roster);
    if (!order.some((deviceId) => hexOf(deviceId) === deviceHex)) return;
    pass.broadcastTo(deviceHex, home, this.#suspended(group));
  }

  #suspended(group: HeldGroup): Broadcast {
    const isRevoked = group.row?.group.out.some(({ reason }) => reason === 'revoked') === true;
    group.notice ??= this.#sign(group, isRevoked ? 'revoked' : 'left');
    return group.notice;
  }

  /** @throws GROUP_UNKNOWN, GROUP_ENDED */
  #sign(group: HeldGroup, reason: DueReason): Broadcast {
    const { context, identity, policy } = this.#parts.state;
    const { state, inForce } = group.current();
    const members = state.out.filter(({ deviceId }) => group.roster.placeOf(deviceId) !== undefined);
    const content = encodeGroupDue(context, {
      nodeId: identity.id,
      groupId: state.groupId,
      epoch: inForce.epoch,
      epochId: inForce.epochId,
      reason,
      out: members.slice(0, MAX_OUT).map(({ deviceId }) => deviceId),
      order: orderOf(context, state, group.roster).slice(0, MAX_ORDER),
      boundSeconds: policy.groupBoundSeconds,
    });
    return { content, signature: signBroadcast(content, identity.signing.secretKey.bytes) };
  }
}
