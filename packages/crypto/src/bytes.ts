/** The empty byte string. It has no content that could be mutated. */
export const EMPTY: Uint8Array = new Uint8Array(0);

const encoder = new TextEncoder();

/** The parts joined in order, always as a fresh array. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const joined = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/**
 * Whether two byte strings are equal. The time depends on the lengths, never on the content or on
 * the place of the first difference, as far as JavaScript can promise that.
 */
export function equalConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] as number) ^ (b[i] as number);
  return difference === 0;
}

/** UTF-8 bytes of a string. Unpaired surrogates become U+FFFD; `Writer.text` refuses them instead. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Overwrites every array with zeros. Copies that the engine made elsewhere are out of reach. */
export function wipe(...arrays: readonly Uint8Array[]): void {
  for (const array of arrays) array.fill(0);
}
