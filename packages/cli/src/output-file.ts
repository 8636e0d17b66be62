import { randomUUID } from 'node:crypto';
import { link, lstat, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SymmetraError } from '@symmetra/crypto';

const PRIVATE_FILE = 0o600;

/**
 * Refuses early what the writer of a new file would refuse at the end, so that nothing is done in vain.
 * @throws FILE_EXISTS, NO_DIRECTORY
 */
export async function requireFree(file: string): Promise<void> {
  if (await exists(file)) throw existsAlready(file);
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

function existsAlready(file: string): SymmetraError {
  return new SymmetraError('FILE_EXISTS', `the file exists already and is not overwritten: ${file}`);
}

/**
 * Writes a new file (0600), whole or not at all; what stands there already stays.
 * @throws FILE_EXISTS, and what the system answers.
 */
export async function writeNewFile(file: string, content: Uint8Array | string): Promise<void> {
  const temporary = `${file}.${randomUUID()}.tmp`;
  try {
    await writeFile(temporary, content, { flag: 'wx', mode: PRIVATE_FILE, flush: true });
    await link(temporary, file);
  } catch (error) {
    // The system names the temporary file, which nobody knows.
    throw error instanceof Error && 'code' in error && error.code === 'EEXIST' ? existsAlready(file) : error;
  } finally {
    await rm(temporary, { force: true });
  }
}
