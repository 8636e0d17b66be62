import { chmod, open, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SymmetraError } from '@symmetra/crypto';
import { createOnce, isErrno } from './durable-file.js';
import { checkDataFile } from './lmdb-file.js';

const FORMAT_NAME = 'symmetra-store';
/** The layout of the rows in the data file. */
const FORMAT_VERSION = 1;
const PRIVATE_FILE = 0o600;
const PRIVATE_DIRECTORY = 0o700;

/**
 * The directory of an LMDB store: `FORMAT` (format name and version), `data.mdb`, `data.mdb-lock`.
 * The marker is written last when a store is made, so a store that has one must have its data.
 */
export interface LmdbDirectory {
  readonly dataFile: string;
  /** Whether the marker stands; without it nothing was ever committed here. */
  readonly established: boolean;
}

/**
 * Readies an owned directory, and checks it before LMDB maps its file.
 * @throws STORE_VERSION when the store was made by another version, STORE_CORRUPT when data is missing.
 */
export async function prepareDirectory(dir: string): Promise<LmdbDirectory> {
  await chmod(dir, PRIVATE_DIRECTORY);
  const dataFile = join(dir, 'data.mdb');
  const established = await checkMarker(dir);
  const size = await sizeOf(dataFile);
  if (established && size === 0) throw new SymmetraError('STORE_CORRUPT', 'the data file is missing');
  if (size > 0) await checkDataFile(dataFile);
  for (const path of [dataFile, `${dataFile}-lock`]) await makePrivateFile(path);
  return { dataFile, established };
}

/** Marks the directory as a store of this version, once its data file is durable. */
export async function writeMarker(dir: string): Promise<void> {
  await createOnce(join(dir, 'FORMAT'), `${FORMAT_NAME} ${FORMAT_VERSION}\n`);
}

/** The error for a directory with a store of another version, or of something else. */
export function otherVersion(found: string): SymmetraError {
  return new SymmetraError('STORE_VERSION', 'the store was made by another version of this software', {
    found,
    expected: FORMAT_VERSION,
  });
}

async function checkMarker(dir: string): Promise<boolean> {
  let marker: string;
  try {
    marker = await readFile(join(dir, 'FORMAT'), 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    throw error;
  }
  if (marker !== `${FORMAT_NAME} ${FORMAT_VERSION}\n`) throw otherVersion(marker.trim().slice(0, 64));
  return true;
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return 0;
    throw error;
  }
}

/** LMDB would create its files readable by all: they are there before it looks. */
async function makePrivateFile(path: string): Promise<void> {
  const file = await open(path, 'a', PRIVATE_FILE);
  try {
    await file.chmod(PRIVATE_FILE);
  } finally {
    await file.close();
  }
}
