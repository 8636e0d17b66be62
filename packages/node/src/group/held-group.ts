import { SymmetraError } from '@symmetra/crypto';
import type { EchoBook, GroupEpoch, NodeGroup, Roster, RosterChanges } from '@symmetra/protocol';
import type { MessageInput } from '@symmetra/rpc';
import type { GroupRow } from './group-row.js';

/** One group in memory. What is not in its rows is found out anew when it was dropped, or the node restarts. */
export class HeldGroup {
  readonly groupHex: string;
  /** Undefined while this node does not know the group. */
  row: GroupRow | undefined;
  /** Of the row, when it was read or written last; 0 while there is none. */
  version = 0;
  /** Of the epoch in force; empty before the first. */
  readonly roster: Roster;
  /** Of the pending deal; undefined also when they are not read yet. */
  changes: RosterChanges | undefined;
  /** GRP-5: what the other nodes echo. */
  echoes: EchoBook = new Map();
  /** GRP-8: places whose devices confirmed the epoch in force. */
  confirmed: Set<number> = new Set();
  /** GRP-10: by place: when the member asked for another epoch, monotonic milliseconds. */
  renewals: Map<number, number> = new Map();
  /** GRP-10: until when a notice that the epoch is used up is not said again, monotonic milliseconds. */
  usedUpUntil = Number.NEGATIVE_INFINITY;
  /** Devices that the epoch in force removed: its broadcasts tell them. */
  removed: readonly string[] = [];
  /** GRP-10: the notice that this node signed last, while it holds. */
  notice: MessageInput<'symmetra.group.v1.Broadcast'> | undefined;

  constructor(groupHex: string, row: GroupRow | undefined, roster: Roster) {
    this.groupHex = groupHex;
    this.row = row;
    this.roster = roster;
  }

  /** The group, with its epoch in force. @throws GROUP_ENDED, GROUP_UNKNOWN */
  current(): { readonly state: NodeGroup; readonly inForce: GroupEpoch } {
    const state = this.row?.group;
    if (state?.inForce !== undefined) return { state, inForce: state.inForce };
    throw state?.ended === true
      ? new SymmetraError('GROUP_ENDED', 'nobody is left in the group')
      : new SymmetraError('GROUP_UNKNOWN', 'there is no such group here');
  }

  /** A member's place in the epoch in force. @throws GROUP_ENDED, GROUP_UNKNOWN, GROUP_NOT_MEMBER */
  placeOf(deviceId: Uint8Array): number {
    this.current();
    const place = this.roster.placeOf(deviceId);
    if (place !== undefined) return place;
    throw new SymmetraError('GROUP_NOT_MEMBER', 'the device is not a member of the group');
  }

  /** An epoch came into force; `removed` are the devices that it removed. */
  beginEpoch(removed: readonly string[]): void {
    this.changes = undefined;
    this.confirmed = new Set();
    this.renewals = new Map();
    this.usedUpUntil = Number.NEGATIVE_INFINITY;
    this.removed = removed;
    this.notice = undefined;
  }
}
