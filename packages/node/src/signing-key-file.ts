import { access } from 'node:fs/promises';
import { SymmetraError, signatureKeygen } from '@symmetra/crypto';
import type { SignatureKeyPair } from '@symmetra/crypto';
import type { RandomBytes } from '@symmetra/entropy';
import { masterKeyFile } from '@symmetra/storage';

/**
 * The ML-DSA-65 key pair whose seed, 32 raw bytes, lies in a file (0600); drawn when there is none.
 * @throws KEY_FILE_MODE, KEY_FILE_LENGTH, STORE_FULL, STORE_PERMISSION, STORE_FAILED
 */
export async function createSigningKey(path: string, random: RandomBytes): Promise<SignatureKeyPair> {
  const seed = await masterKeyFile(path, random);
  const pair = signatureKeygen(seed.bytes);
  seed.wipe();
  return pair;
}

/**
 * {@link createSigningKey} of a file that must be there.
 * @throws KEY_FILE_MISSING, and what {@link createSigningKey} throws
 */
export async function readSigningKey(path: string): Promise<SignatureKeyPair> {
  try {
    await access(path);
  } catch (error) {
    throw new SymmetraError('KEY_FILE_MISSING', 'the key file is not there', { path }, { cause: error });
  }
  return createSigningKey(path, () => {
    throw new SymmetraError('KEY_FILE_MISSING', 'the key file was removed while it was read', { path });
  });
}
