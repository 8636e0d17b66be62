import { decodeState, encodeState } from '@symmetra/protocol';
import type { NodeChain } from '@symmetra/protocol';

/** A device as one node keeps it. */
export interface DeviceRow {
  readonly chain: NodeChain;
  /** Given by the device, for people; may be empty. */
  readonly name: string;
  readonly account: string;
  readonly tags: readonly { readonly key: string; readonly value: string }[];
  readonly tokenId: Uint8Array;
  /** Node clock, milliseconds. */
  readonly enrolledMs: number;
  /** A party proved that it holds a state which the chain has left (ATK-9). */
  readonly cloneSuspected: boolean;
}

/** The caller wipes what it gets once the store has it. */
export function encodeDeviceRow(row: DeviceRow): Uint8Array {
  return encodeState(row);
}

/** Erases `value`: the secrets live on in the row alone. @throws BAD_ENCODING */
export function decodeDeviceRow(value: Uint8Array): DeviceRow {
  const row = decodeState<DeviceRow>(value);
  value.fill(0);
  return row;
}
