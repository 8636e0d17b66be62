import { randomUUID } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SymmetraError } from '@symmetra/crypto';

const PRIVATE_FILE = 0o600;

/**
 * Replaces a file with new content, private to its user (0600), whole or not at all: whatever
 * crashes, the old or the new content stands there, and the new one once the promise is fulfilled.
 * @throws DISK_FULL, NO_PERMISSION, NO_DIRECTORY, FILE_FAILED
 */
export async function writeFileAtomic(path: string, content: Uint8Array | string): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    await writeSynced(temporary, content);
    await rename(temporary, path);
    await syncDirectory(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw fileError(error, path);
  }
}

/** {@link writeFileAtomic} of a value as indented JSON. */
export async function writeJsonFile(path: string, value: unknown): Promise<void> {
  await writeFileAtomic(path, `${JSON.stringify(value, undefined, 2)}\n`);
}

/**
 * The value in a JSON file, yet to be checked; undefined when there is no such file.
 * @throws FILE_CORRUPT when it is not JSON, NO_PERMISSION, FILE_FAILED
 */
export async function readJsonFile(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw fileError(error, path);
  }
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // The parser's own error would quote the content.
    throw new SymmetraError('FILE_CORRUPT', 'the file does not hold JSON', { path });
  }
}

async function writeSynced(path: string, content: Uint8Array | string): Promise<void> {
  const file = await open(path, 'wx', PRIVATE_FILE);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

function fileError(cause: unknown, path: string): SymmetraError {
  const named = (code: string, message: string) => new SymmetraError(code, message, { path }, { cause });
  switch (codeOf(cause)) {
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG':
      return named('DISK_FULL', 'there is no room left on the disk');
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return named('NO_PERMISSION', 'the file or its directory is closed to this user');
    case 'ENOENT':
    case 'ENOTDIR':
      return named('NO_DIRECTORY', 'there is no such directory');
    default:
      return named('FILE_FAILED', 'the file could not be read or written');
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
