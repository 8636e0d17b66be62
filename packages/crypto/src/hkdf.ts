import type { Mac } from './backend.js';
import { wipe } from './bytes.js';

/** HKDF-Extract (RFC 5869 section 2.2). */
export function hkdfExtract(mac: Mac, salt: Uint8Array, ikm: Uint8Array): Uint8Array {
  return mac(salt, ikm);
}

/**
 * HKDF-Expand (RFC 5869 section 2.3). One HMAC for every hash length of output.
 * @param length 1 to 255 hash lengths; the caller checks it.
 */
export function hkdfExpand(mac: Mac, prk: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  const counter = Uint8Array.of(1);
  let block = mac(prk, info, counter);
  if (length === block.length) return block;

  const okm = new Uint8Array(length);
  let filled = 0;
  for (;;) {
    const taken = Math.min(block.length, length - filled);
    okm.set(block.subarray(0, taken), filled);
    filled += taken;
    if (filled === length) break;
    counter[0] = (counter[0] as number) + 1;
    const next = mac(prk, block, info, counter);
    wipe(block);
    block = next;
  }
  wipe(block);
  return okm;
}
