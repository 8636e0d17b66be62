import { decodeState, encodeState } from '@symmetra/protocol';
import type { NodeGroup } from '@symmetra/protocol';

/** What stands under a group's own key. */
export interface GroupRow {
  readonly group: NodeGroup;
  /** GRP-6: of this node's tree, in the epoch in force. */
  readonly step: number;
  /** When the epoch in force came into force here: node clock, milliseconds. */
  readonly sinceMs: number;
  /** When the pending deal was approved here, or the last one: likewise. */
  readonly pendingSinceMs: number;
  /** The device that dealt the first epoch, if it was dealt to this node. */
  readonly creator?: Uint8Array;
}

/** The caller wipes what it gets once the store has it. */
export function encodeGroupRow(row: GroupRow): Uint8Array {
  return encodeState(row);
}

/** Erases `value`: the share lives on in the row alone. @throws BAD_ENCODING */
export function decodeGroupRow(value: Uint8Array): GroupRow {
  const row = decodeState<GroupRow>(value);
  value.fill(0);
  return row;
}
