import { open } from 'node:fs/promises';
import { SymmetraError } from '@symmetra/crypto';

/** Writes a secret to a new file of the user's own (0600), and wipes it. @throws FILE_EXISTS, FILE_FAILED */
export async function writeSecret(path: string, secret: Uint8Array): Promise<void> {
  try {
    const file = await open(path, 'wx', 0o600);
    try {
      await file.writeFile(secret);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    const taken = error instanceof Error && 'code' in error && error.code === 'EEXIST';
    throw taken
      ? new SymmetraError('FILE_EXISTS', 'the file exists already and is not overwritten', { path })
      : new SymmetraError('FILE_FAILED', 'the file could not be written', { path }, { cause: error });
  } finally {
    secret.fill(0);
  }
}
