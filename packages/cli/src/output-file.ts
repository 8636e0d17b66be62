import { lstat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SymmetraError } from '@symmetra/crypto';

/**
 * Refuses early what the writer of a new file would refuse at the end, so that nothing is done in vain.
 * @throws FILE_EXISTS, NO_DIRECTORY
 */
export async function requireFree(file: string): Promise<void> {
  if (await exists(file)) {
    throw new SymmetraError('FILE_EXISTS', `the file exists already and is not overwritten: ${file}`);
  }
  if (!(await exists(dirname(file)))) {
    throw new SymmetraError('NO_DIRECTORY', `there is no such directory: ${dirname(file)}`);
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}
