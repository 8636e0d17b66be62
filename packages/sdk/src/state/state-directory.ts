import { chmod, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SymmetraError } from '@symmetra/crypto';
import { readJsonFile, writeJsonFile } from '@symmetra/runtime';
import { acquire, masterKeyFile, openLmdbStore, passphraseFile, sealStore } from '@symmetra/storage';
import type { MasterKey, Ownership, Store } from '@symmetra/storage';
import { codeOf } from '../failure.js';

const FORMAT = 'symmetra-device';
const VERSION = 1;
const FORMAT_FILE = 'state.json';
const KEY_FILE = 'state.key';
const PASSPHRASE_FILE = 'passphrase.json';
const STORE_DIRECTORY = 'store';
const PRIVATE_DIRECTORY = 0o700;

/** Names that a state directory may hold; anything else was put there by somebody. */
const OWN_NAMES = /^(?:state\.json|state\.key|passphrase\.json|store|control\.sock|owner)(?:\..*)?$/;

/** How the values of a state directory are sealed: under a random key in a file, or under a passphrase. */
type Sealing = 'key-file' | 'passphrase';

/** An opened state directory, owned by this process. */
export interface StateDirectory {
  readonly path: string;
  /** Values are sealed. */
  readonly store: Store;
  /** Gives everything free. */
  close(): Promise<void>;
}

/** How a state directory is opened. */
export interface StateDirectoryOptions {
  readonly path: string;
  readonly passphrase?: string | undefined;
  /** Whether a directory that holds no state yet is made into one. */
  readonly create: boolean;
  /** Fresh random bytes. */
  readonly random: (length: number) => Uint8Array;
}

/**
 * Opens the directory in which a device keeps its state, for this process alone:
 *
 *     state.json        format name and version; written last, so that a directory that has it is complete
 *     state.key         32 random bytes that seal the store, or
 *     passphrase.json   salt and costs of the passphrase that seals it
 *     store/            the sealed rows
 *     owner             the claim of the process that has it open
 *     control.sock      where that process takes commands
 *
 * @throws STATE_MISSING, STATE_INCOMPLETE, STATE_VERSION, STATE_IN_USE, WRONG_PASSPHRASE, DISK_FULL, NO_PERMISSION,
 *   and what the store throws
 */
export async function openStateDirectory(options: StateDirectoryOptions): Promise<StateDirectory> {
  try {
    if (options.create) await mkdir(options.path, { recursive: true, mode: PRIVATE_DIRECTORY });
    const before = await namesIn(options.path);
    checkNames(before, options.create);
    await chmod(options.path, PRIVATE_DIRECTORY);
    const ownership = await takeOwnership(options.path);
    try {
      return await openOwned(options, ownership);
    } catch (error) {
      await ownership.release();
      throw error;
    }
  } catch (error) {
    throw stateError(error);
  }
}

async function namesIn(path: string): Promise<readonly string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    throw new SymmetraError('STATE_MISSING', 'there is no state directory; enrol the device first');
  }
}

function checkNames(names: readonly string[], create: boolean): void {
  if (names.includes(FORMAT_FILE)) return;
  if (!names.every((name) => OWN_NAMES.test(name))) {
    throw new SymmetraError('STATE_INCOMPLETE', 'the directory holds other files and no device state');
  }
  if (create) return;
  if (names.length === 0) {
    throw new SymmetraError('STATE_MISSING', 'the state directory is empty; enrol the device first');
  }
  throw new SymmetraError(
    'STATE_INCOMPLETE',
    'the state directory was never completed; enrol the device again',
  );
}

async function takeOwnership(path: string): Promise<Ownership> {
  const ownership = await acquire(path);
  if (!('ownedBy' in ownership)) return ownership;
  throw new SymmetraError('STATE_IN_USE', 'another process has the state directory open', {
    pid: ownership.ownedBy,
  });
}

async function openOwned(options: StateDirectoryOptions, ownership: Ownership): Promise<StateDirectory> {
  const { path } = options;
  const sealing = await readFormat(path);
  if (sealing === undefined) await removeRemains(path);
  else await checkComplete(path, sealing, options.passphrase);
  const masterKey = await openKey(options);
  const store = await openLmdbStore(join(path, STORE_DIRECTORY));
  if (sealing === undefined) {
    const made: Sealing = options.passphrase === undefined ? 'key-file' : 'passphrase';
    try {
      await writeJsonFile(join(path, FORMAT_FILE), { format: FORMAT, version: VERSION, sealing: made });
    } catch (error) {
      await store.close();
      throw error;
    }
  }
  const sealed = sealStore(store, masterKey, options.random);
  return {
    path,
    store: sealed,
    async close() {
      await sealed.close();
      masterKey.wipe();
      await ownership.release();
    },
  };
}

/** @returns how the state is sealed; undefined when the directory holds none yet. */
async function readFormat(path: string): Promise<Sealing | undefined> {
  const found = await readJsonFile(join(path, FORMAT_FILE));
  if (found === undefined) return undefined;
  const { format, version, sealing } = (found ?? {}) as Record<string, unknown>;
  if (format !== FORMAT || version !== VERSION) {
    throw new SymmetraError('STATE_VERSION', 'the state was made by another version of this software', {
      found: typeof version === 'number' ? version : 'unknown',
      expected: VERSION,
    });
  }
  if (sealing === 'key-file' || sealing === 'passphrase') return sealing;
  throw new SymmetraError('STATE_INCOMPLETE', 'state.json does not say how the state is sealed');
}

/** What a creation left that did not come to its end: nothing was ever stored under it. */
async function removeRemains(path: string): Promise<void> {
  for (const name of [KEY_FILE, PASSPHRASE_FILE, STORE_DIRECTORY]) {
    await rm(join(path, name), { recursive: true, force: true });
  }
}

async function checkComplete(path: string, sealing: Sealing, passphrase: string | undefined): Promise<void> {
  const needed = [
    sealing === 'key-file' ? KEY_FILE : PASSPHRASE_FILE,
    STORE_DIRECTORY,
    join(STORE_DIRECTORY, 'FORMAT'),
  ];
  for (const name of needed) {
    if (await exists(join(path, name))) continue;
    throw new SymmetraError('STATE_INCOMPLETE', 'a part of the state directory is missing', { name });
  }
  if (sealing === 'passphrase' && passphrase === undefined) {
    throw new SymmetraError('WRONG_PASSPHRASE', 'the state is sealed with a passphrase, and none was given');
  }
  if (sealing === 'key-file' && passphrase !== undefined) {
    throw new SymmetraError('WRONG_PASSPHRASE', 'the state is not sealed with a passphrase');
  }
}

async function openKey({ path, passphrase, random }: StateDirectoryOptions): Promise<MasterKey> {
  return passphrase === undefined
    ? masterKeyFile(join(path, KEY_FILE), random)
    : passphraseFile(join(path, PASSPHRASE_FILE), passphrase, random);
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}

const NAMED_CAUSES: Readonly<Record<string, readonly [code: string, message: string]>> = {
  STORE_FULL: ['DISK_FULL', 'there is no room left on the disk for the state'],
  ENOSPC: ['DISK_FULL', 'there is no room left on the disk for the state'],
  STORE_BUSY: ['STATE_IN_USE', 'another process has the state directory open'],
  STORE_VERSION: ['STATE_VERSION', 'the state was made by another version of this software'],
  STORE_CORRUPT: ['STATE_INCOMPLETE', 'the state is damaged'],
  STORE_SEAL_BROKEN: ['STATE_INCOMPLETE', 'the state does not open under its key: one of them was changed'],
  FILE_CORRUPT: ['STATE_INCOMPLETE', 'state.json is damaged'],
  BAD_PASSPHRASE_PARAMETERS: ['STATE_INCOMPLETE', 'passphrase.json is damaged'],
  KEY_FILE_LENGTH: ['STATE_INCOMPLETE', 'state.key is damaged'],
  STORE_PERMISSION: ['NO_PERMISSION', 'the state directory is closed to this user'],
  EACCES: ['NO_PERMISSION', 'the state directory is closed to this user'],
  EPERM: ['NO_PERMISSION', 'the state directory is closed to this user'],
  EROFS: ['NO_PERMISSION', 'the state directory can not be written'],
  ENOTDIR: ['STATE_MISSING', 'the path of the state is no directory'],
  EEXIST: ['STATE_MISSING', 'the path of the state is no directory'],
};

/** A failure of what lies underneath, in the words of a device's state. */
export function stateError(error: unknown): unknown {
  const cause = errnoOf(error) ?? codeOf(error);
  const named = NAMED_CAUSES[cause];
  return named === undefined ? error : new SymmetraError(named[0], named[1], {}, { cause: error });
}

function errnoOf(error: unknown): string | undefined {
  if (error instanceof SymmetraError || !(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
