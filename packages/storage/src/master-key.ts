import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Secret, SymmetraError, wipe } from '@symmetra/crypto';
import { createOnce, isErrno, makePrivateDirectory } from './durable-file.js';
import type { MasterKey } from './sealed-store.js';
import { storageError } from './storage-error.js';

const KEY_BYTES = 32;
const GROUP_AND_OTHERS = 0o077;

/**
 * The master key in the file at `path`, 32 raw bytes; drawn and written (0600, durably) when there
 * is no such file. Of several processes that create it at once, all get the same key.
 *
 * @param random fresh random bytes.
 * @throws KEY_FILE_MODE when group or others may use the file, KEY_FILE_LENGTH when it holds
 * anything but 32 bytes, STORE_FULL, STORE_PERMISSION, STORE_FAILED.
 */
export async function masterKeyFile(
  path: string,
  random: (length: number) => Uint8Array,
): Promise<MasterKey> {
  try {
    const found = await readKey(path);
    if (found) return found;
    await makePrivateDirectory(dirname(path));
    const drawn = random(KEY_BYTES);
    await createOnce(path, drawn);
    wipe(drawn);
    const written = await readKey(path);
    if (written) return written;
  } catch (error) {
    throw await storageError(error, dirname(path));
  }
  throw new SymmetraError('STORE_FAILED', 'the key file was removed while it was made');
}

async function readKey(path: string): Promise<MasterKey | undefined> {
  const file = await openIfThere(path);
  if (file === undefined) return undefined;
  try {
    const { mode } = await file.stat();
    if ((mode & GROUP_AND_OTHERS) !== 0) {
      throw new SymmetraError(
        'KEY_FILE_MODE',
        'the key file must be closed to group and others (chmod 600)',
        {
          mode: (mode & 0o777).toString(8).padStart(4, '0'),
        },
      );
    }
    const bytes = new Uint8Array(KEY_BYTES + 1);
    const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
    const key = bytes.slice(0, KEY_BYTES);
    wipe(bytes);
    if (bytesRead === KEY_BYTES) return Secret.of('masterKey', key);
    wipe(key);
    throw new SymmetraError('KEY_FILE_LENGTH', 'the key file does not hold exactly 32 bytes');
  } finally {
    await file.close();
  }
}

async function openIfThere(path: string) {
  try {
    return await open(path, constants.O_RDONLY);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
