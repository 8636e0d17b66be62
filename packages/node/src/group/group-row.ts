import { decodeState, encodeState } from '@symmetra/protocol';
import type { NodeGroup } from '@symmetra/protocol';

/** What stands under a group's own key. */
export interface GroupRow {
  readonly group: NodeGroup;
  /** GRP-6: of this node's tree, in the epoch in force. */
  readonly step: number;
  /** When the epoch in force came into force here: node clock, milliseconds. */
  readonly sinceMs: number;
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
