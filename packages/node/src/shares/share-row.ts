import { Reader, Writer } from '@symmetra/crypto';
import type { Limits } from '@symmetra/protocol';

const DEVICE_ID_BYTES = 32;
const SHARE_BYTES = 32;
const FIXED_BYTES = 8 + DEVICE_ID_BYTES + 8 + SHARE_BYTES + 4;

/** A share that rests until its responder acknowledges it, with all that is delivered beside it (PAIR-4). */
export interface ShareRow {
  /** Node clock, milliseconds. */
  readonly expiresMs: number;
  readonly initiator: Uint8Array;
  readonly granted: Limits;
  readonly share: Uint8Array;
  /** The header as the initiator sent it. */
  readonly header: Uint8Array;
  /** Empty without the direct KEM. */
  readonly ephemeralKey: Uint8Array;
}

/** The caller wipes what it gets once the store has it. */
export function encodeShareRow(row: ShareRow): Uint8Array {
  return new Writer(FIXED_BYTES + row.header.length + row.ephemeralKey.length)
    .u64(row.expiresMs)
    .raw(row.initiator)
    .u32(row.granted.lifetimeSeconds)
    .u32(row.granted.uses)
    .raw(row.share)
    .bytes(row.header)
    .bytes(row.ephemeralKey)
    .finish();
}

/** @throws BAD_ENCODING */
export function decodeShareRow(value: Uint8Array): ShareRow {
  const reader = new Reader(value, 'share row');
  const row = {
    expiresMs: Number(reader.u64()),
    initiator: reader.raw(DEVICE_ID_BYTES),
    granted: { lifetimeSeconds: reader.u32(), uses: reader.u32() },
    share: reader.raw(SHARE_BYTES),
    header: reader.bytes(),
    ephemeralKey: reader.bytes(),
  };
  reader.end();
  return row;
}
