import { Reader, Writer } from '@symmetra/crypto';
import type { Limits } from '@symmetra/protocol';

const DEVICE_ID_BYTES = 32;
const MAX_HASH_BYTES = 64;

/** A negotiation that this node approved: its key id means this header and no other. */
export interface KeyRow {
  /** Node clock, milliseconds: when no key of the negotiation can be in use any more. */
  readonly expiresMs: number;
  readonly initiator: Uint8Array;
  readonly responder: Uint8Array;
  readonly granted: Limits;
  /** Hash of the header, under its suite. */
  readonly headerHash: Uint8Array;
}

export function encodeKeyRow(row: KeyRow): Uint8Array {
  return new Writer(8 + 2 * DEVICE_ID_BYTES + 8 + 2 + row.headerHash.length)
    .u64(row.expiresMs)
    .raw(row.initiator)
    .raw(row.responder)
    .u32(row.granted.lifetimeSeconds)
    .u32(row.granted.uses)
    .bytes(row.headerHash)
    .finish();
}

/** @throws BAD_ENCODING */
export function decodeKeyRow(value: Uint8Array): KeyRow {
  const reader = new Reader(value, 'key row');
  const row = {
    expiresMs: Number(reader.u64()),
    initiator: reader.raw(DEVICE_ID_BYTES),
    responder: reader.raw(DEVICE_ID_BYTES),
    granted: { lifetimeSeconds: reader.u32(), uses: reader.u32() },
    headerHash: reader.bytes(MAX_HASH_BYTES),
  };
  reader.end();
  return row;
}
