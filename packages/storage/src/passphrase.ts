import { scrypt } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import {
  EMPTY,
  Secret,
  SymmetraError,
  equalConstantTime,
  expand,
  fromBase64Url,
  suites,
  toBase64Url,
  wipe,
} from '@symmetra/crypto';
import type { Label } from '@symmetra/crypto';
import { createOnce, isErrno, makePrivateDirectory } from './durable-file.js';
import type { MasterKey } from './sealed-store.js';
import { storageError } from './storage-error.js';

/** The cost of scrypt (RFC 7914): memory is 128 * n * r bytes. */
export interface ScryptParameters {
  /** A power of two from 2^14 to 2^20. */
  readonly n: number;
  /** 1 to 32. */
  readonly r: number;
  /** 1 to 16. */
  readonly p: number;
}

/** 128 MiB, and a good part of a second. */
export const SCRYPT_PARAMETERS: ScryptParameters = Object.freeze({ n: 2 ** 17, r: 8, p: 1 });

const KEY_BYTES = 32;
const SALT_BYTES = 32;
const CHECK_BYTES = 16;
const FORMAT = 1;
const SUITE = suites.get(1);

/**
 * The master key that a passphrase gives:
 *
 *     root = scrypt(NFKC(passphrase) as UTF-8, salt, n, r, p, 32)
 *     key  = expand(suite 1, root, "state passphrase")
 *
 * @param salt at least 16 bytes, random, one per directory.
 * @throws BAD_PASSPHRASE when it is empty, BAD_PASSPHRASE_PARAMETERS for costs or salts out of range.
 */
export async function passphraseKey(
  passphrase: string,
  salt: Uint8Array,
  parameters: ScryptParameters = SCRYPT_PARAMETERS,
): Promise<MasterKey> {
  const { key, check } = await derive(passphrase, salt, parameters);
  wipe(check);
  return key;
}

/**
 * The master key of a passphrase whose salt and costs stand in the file at `path`. The file is made
 * (0600, durably) when there is none, with the default costs, a fresh salt, and 16 bytes that tell
 * a wrong passphrase: `expand(suite 1, root, "state passphrase-check", 16)`.
 *
 * @param random fresh random bytes.
 * @throws WRONG_PASSPHRASE, BAD_PASSPHRASE, BAD_PASSPHRASE_PARAMETERS when the file is damaged,
 * STORE_FULL, STORE_PERMISSION, STORE_FAILED.
 */
export async function passphraseFile(
  path: string,
  passphrase: string,
  random: (length: number) => Uint8Array,
): Promise<MasterKey> {
  try {
    const found = await readParameters(path);
    if (found) return await unlock(found, passphrase);
    const salt = random(SALT_BYTES);
    const { key, check } = await derive(passphrase, salt, SCRYPT_PARAMETERS);
    await makePrivateDirectory(dirname(path));
    if (await createOnce(path, encode({ ...SCRYPT_PARAMETERS, salt, check }))) return key;
    key.wipe();
    const theirs = await readParameters(path);
    if (theirs) return await unlock(theirs, passphrase);
  } catch (error) {
    throw await storageError(error, dirname(path));
  }
  throw new SymmetraError('STORE_FAILED', 'the passphrase file was removed while it was made');
}

interface StoredParameters extends ScryptParameters {
  readonly salt: Uint8Array;
  readonly check: Uint8Array;
}

async function unlock(stored: StoredParameters, passphrase: string): Promise<MasterKey> {
  const { key, check } = await derive(passphrase, stored.salt, stored);
  if (equalConstantTime(check, stored.check)) return key;
  key.wipe();
  throw new SymmetraError('WRONG_PASSPHRASE', 'the passphrase is not the one that sealed this directory');
}

async function derive(passphrase: string, salt: Uint8Array, { n, r, p }: ScryptParameters) {
  if (passphrase === '') throw new SymmetraError('BAD_PASSPHRASE', 'a passphrase can not be empty');
  const power = Number.isInteger(Math.log2(n)) && n >= 2 ** 14 && n <= 2 ** 20;
  if (!power || !isWithin(r, 32) || !isWithin(p, 16) || salt.length < 16) throw badParameters();
  const options = { N: n, r, p, maxmem: 256 * n * r };
  const root = await new Promise<Buffer>((resolve, reject) => {
    scrypt(passphrase.normalize('NFKC'), salt, KEY_BYTES, options, (error, derived) => {
      if (error) reject(error);
      else resolve(derived);
    });
  });
  const key = Secret.of('masterKey', expandRoot(root, 'statePassphrase', KEY_BYTES));
  const check = expandRoot(root, 'statePassphraseCheck', CHECK_BYTES);
  wipe(root);
  return { key, check };
}

function expandRoot(root: Uint8Array, label: Label, length: number): Uint8Array {
  const context = {
    networkId: new Uint8Array(16),
    initiator: EMPTY,
    responder: EMPTY,
    epoch: EMPTY,
    transcriptHash: EMPTY,
  };
  return expand(SUITE, root, label, context, length);
}

function encode({ n, r, p, salt, check }: StoredParameters): string {
  const fields = {
    format: FORMAT,
    kdf: 'scrypt',
    n,
    r,
    p,
    salt: toBase64Url(salt),
    check: toBase64Url(check),
  };
  return `${JSON.stringify(fields)}\n`;
}

async function readParameters(path: string): Promise<StoredParameters | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
  try {
    const { format, kdf, n, r, p, salt, check } = JSON.parse(text) as Record<string, unknown>;
    const complete = typeof n === 'number' && typeof r === 'number' && typeof p === 'number';
    if (format === FORMAT && kdf === 'scrypt' && complete) {
      return { n, r, p, salt: fromBase64Url(salt as string), check: fromBase64Url(check as string) };
    }
  } catch {
    throw badParameters();
  }
  throw badParameters();
}

function isWithin(value: number, max: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= max;
}

function badParameters(): SymmetraError {
  return new SymmetraError(
    'BAD_PASSPHRASE_PARAMETERS',
    'the salt or the costs of the passphrase are out of range',
  );
}
