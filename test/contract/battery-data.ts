import { createCipheriv } from 'node:crypto';

const KEY_BYTES = 32;
const BLOCK_BYTES = 16;

/** Data as good as any that a test can have, and always the same: AES-256-CTR keystream under a key of one byte. */
export function goodBytes(length: number, seed: number): Uint8Array {
  const cipher = createCipheriv('aes-256-ctr', Buffer.alloc(KEY_BYTES, seed), Buffer.alloc(BLOCK_BYTES));
  return new Uint8Array(cipher.update(Buffer.alloc(length)));
}

/** Bytes made of bits that `next` derives from a good byte each and from the bit before. */
function bytesOfBits(
  length: number,
  seed: number,
  next: (good: number, before: number) => number,
): Uint8Array {
  const good = goodBytes(length * 8, seed);
  const bytes = new Uint8Array(length);
  let bit = 0;
  for (const [i, one] of good.entries()) {
    bit = next(one, bit);
    bytes[i >> 3] = ((bytes[i >> 3] ?? 0) << 1) | bit;
  }
  return bytes;
}

/** Independent bits, each one with probability `share` / 256. */
export function biasedBytes(length: number, seed: number, share: number): Uint8Array {
  return bytesOfBits(length, seed, (good) => (good < share ? 1 : 0));
}

/** Bits that differ from the one before with probability `share` / 256. */
export function correlatedBytes(length: number, seed: number, share: number): Uint8Array {
  return bytesOfBits(length, seed, (good, before) => (good < share ? before ^ 1 : before));
}

/** Good data in which each `period` bytes the same 4 bytes come twice in a row. */
export function repeatingBytes(length: number, seed: number, period: number): Uint8Array {
  const bytes = goodBytes(length, seed);
  for (let i = 0; i + 8 < length; i += period) bytes.copyWithin(i + 4, i, i + 4);
  return bytes;
}
