/**
 * Zeros in memory that never moves. V8 keeps arrays of up to 64 bytes within its heap and moves them when it collects
 * garbage; what it leaves behind can not be zeroed.
 */
export function fixedBytes(length: number): Uint8Array {
  return new Uint8Array(new ArrayBuffer(length));
}

/** A copy in memory that never moves. */
export function fixedCopy(bytes: Uint8Array): Uint8Array {
  const copy = fixedBytes(bytes.length);
  copy.set(bytes);
  return copy;
}
