import type { Change } from './store.js';

/** Versions use 48 bits of 64. */
const VERSION_BYTES = 8;
const CHANGE_HEAD_BYTES = 2 + VERSION_BYTES + 2 + 4;

/**
 * One commit as the script reads it: u32(number of changes), then for each
 * u8(1 writes, 0 deletes) || u8(1 when an expectation follows) || u64(expected version) || u16(length) key || u32(length) value
 */
export function encodeCommit(changes: readonly Change[]): Buffer {
  let length = 4;
  for (const { key, value } of changes) length += CHANGE_HEAD_BYTES + key.length + (value?.length ?? 0);
  const bytes = Buffer.allocUnsafe(length);
  let at = bytes.writeUInt32BE(changes.length, 0);
  for (const { key, value, expect } of changes) {
    at = bytes.writeUInt8(value === null ? 0 : 1, at);
    at = bytes.writeUInt8(expect === undefined ? 0 : 1, at);
    at = bytes.writeUInt16BE(0, at);
    at = bytes.writeUIntBE(expect ?? 0, at, VERSION_BYTES - 2);
    at = bytes.writeUInt16BE(key.length, at);
    at += bytes.write(key, at, 'latin1');
    at = bytes.writeUInt32BE(value?.length ?? 0, at);
    if (value !== null) bytes.set(value, at);
    at += value?.length ?? 0;
  }
  return bytes;
}

/** The version and the value of a stored row; `undefined` when it is no row. */
export function decodeRow(
  stored: unknown,
): { readonly value: Uint8Array; readonly version: number } | undefined {
  if (!Buffer.isBuffer(stored) || stored.length < VERSION_BYTES) return undefined;
  return {
    value: new Uint8Array(stored.subarray(VERSION_BYTES)),
    version: stored.readUIntBE(2, VERSION_BYTES - 2),
  };
}
