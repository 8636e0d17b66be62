import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { SymmetraError } from '@symmetra/crypto';

/** The most that one run looks at: 1 GiB. */
export const MAX_TESTED_BYTES = 2 ** 30;

/**
 * The first `count` bytes of a file, or all of them. A device or a pipe has no size of its own: of it `count` must
 * say how much to read.
 * @throws FILE_TOO_SHORT when it has fewer, or none; FILE_TOO_LARGE, NOT_A_FILE, and what the system answers.
 */
export async function readTested(path: string, count: number | undefined): Promise<Uint8Array> {
  const file = await open(path, 'r');
  try {
    return await readFrom(file, path, count);
  } finally {
    await file.close();
  }
}

async function readFrom(file: FileHandle, path: string, count: number | undefined): Promise<Uint8Array> {
  const info = await file.stat();
  if (info.isDirectory()) throw new SymmetraError('NOT_A_FILE', `this is not a file: ${path}`);
  const size = info.isFile() ? info.size : undefined;
  const wanted = count ?? size;
  if (wanted === undefined) {
    throw new SymmetraError('NOT_A_FILE', `a device or pipe has no end; say with --bytes how much: ${path}`);
  }
  if (wanted > MAX_TESTED_BYTES) {
    throw new SymmetraError(
      'FILE_TOO_LARGE',
      `one run looks at ${MAX_TESTED_BYTES} bytes at most; say with --bytes how much: ${path}`,
      { size: wanted, most: MAX_TESTED_BYTES },
    );
  }
  if (wanted === 0) throw tooShort('the file is empty', path, 0, 1);
  if (size !== undefined && size < wanted) {
    throw tooShort(`the file has ${size} bytes, ${wanted} were asked for`, path, size, wanted);
  }
  return readExactly(file, path, wanted);
}

async function readExactly(file: FileHandle, path: string, wanted: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(wanted);
  let filled = 0;
  while (filled < wanted) {
    const { bytesRead } = await file.read(bytes, filled, wanted - filled);
    if (bytesRead === 0) {
      throw tooShort(`it ended after ${filled} bytes, ${wanted} were asked for`, path, filled, wanted);
    }
    filled += bytesRead;
  }
  return bytes;
}

/** The failure of a file that has too little for what was asked. */
export function tooShort(why: string, path: string, size: number, needed: number): SymmetraError {
  return new SymmetraError('FILE_TOO_SHORT', `${why}: ${path}`, { size, needed });
}
