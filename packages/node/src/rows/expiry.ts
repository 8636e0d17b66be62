import { Reader, Writer } from '@symmetra/crypto';

/** Rows that expire begin with the time when they do: u64, node clock, milliseconds. */
export const EXPIRY_BYTES = 8;

/** A row that holds nothing but the time when it expires. */
export function encodeExpiry(expiresMs: number): Uint8Array {
  return new Writer(EXPIRY_BYTES).u64(expiresMs).finish();
}

/** When a row expires, milliseconds. @throws BAD_ENCODING */
export function expiryOf(value: Uint8Array): number {
  return Number(new Reader(value.subarray(0, EXPIRY_BYTES), 'expiry').u64());
}
