import { createCipheriv } from 'node:crypto';
import { concat, wipe } from '@symmetra/crypto';
import { fixedBytes, fixedCopy } from './fixed-bytes.js';

const BLOCK_BYTES = 16;
const KEY_BYTES = 32;

/** 10.3.2, step 8: 00 01 02 ... */
const FIXED_KEY = Uint8Array.from({ length: KEY_BYTES }, (_, i) => i);

/**
 * Block_Cipher_df with AES-256, SP 800-90A Rev. 1 section 10.3.2.
 * @param material joined in order.
 * @returns `length` bytes, at most 64.
 */
export function blockCipherDf(length: number, ...material: readonly Uint8Array[]): Uint8Array {
  const input = concat(...material);
  const unpadded = BLOCK_BYTES + 8 + input.length + 1;
  // IV || L || N || input || 0x80 || zeros; the counter that is the IV stands in the first four bytes.
  const text = new Uint8Array(Math.ceil(unpadded / BLOCK_BYTES) * BLOCK_BYTES);
  const view = new DataView(text.buffer);
  view.setUint32(BLOCK_BYTES, input.length);
  view.setUint32(BLOCK_BYTES + 4, length);
  text.set(input, BLOCK_BYTES + 8);
  text[unpadded - 1] = 0x80;

  const chained = fixedBytes(KEY_BYTES + BLOCK_BYTES);
  for (let i = 0; i * BLOCK_BYTES < chained.length; i++) {
    view.setUint32(0, i);
    const cipherText = cbc(FIXED_KEY, new Uint8Array(BLOCK_BYTES), text);
    chained.set(cipherText.subarray(-BLOCK_BYTES), i * BLOCK_BYTES);
    wipe(cipherText);
  }
  // Each block is the encryption of the one before: CBC over zeros.
  const blocks = new Uint8Array(Math.ceil(length / BLOCK_BYTES) * BLOCK_BYTES);
  const stream = cbc(chained.subarray(0, KEY_BYTES), chained.subarray(KEY_BYTES), blocks);
  const output = fixedCopy(stream.subarray(0, length));
  wipe(input, text, chained, stream);
  return output;
}

/** AES-256-CBC of whole blocks. Its last block from a zero IV is BCC (10.3.3). */
function cbc(key: Uint8Array, iv: Uint8Array, text: Uint8Array): Uint8Array {
  const cipher = createCipheriv('aes-256-cbc', key, iv).setAutoPadding(false);
  const output = cipher.update(text);
  // Frees the key schedule at once.
  cipher.final();
  return output;
}
