import { Reader, SymmetraError, Writer, fromBase64Url, toBase64Url } from '@symmetra/crypto';
import type { RandomBytes } from '@symmetra/entropy';
import { SCRYPT_PARAMETERS, openMemoryStore, passphraseKey, sealStore } from '@symmetra/storage';
import type { MasterKey, Store } from '@symmetra/storage';

const MAGIC = 'symmetra-backup/1';
const SALT_BYTES = 32;
const MAX_HEAD_BYTES = 256;
const END = 'end';

/** What a backup is sealed under. The key is lent. */
export type BackupSeal =
  | { readonly kind: 'passphrase'; readonly passphrase: string }
  | { readonly kind: 'key'; readonly key: MasterKey };

/**
 * Seals pieces, in their order, into one file:
 *
 *     file  = text(magic) || text(kind) || text(salt, base64url) || u32(pieces) || (u32(length) || sealed piece) ...
 *     piece = sealed like the value of a row in a store (AES-256-GCM), whose row is its place in the file, or "end" for
 *             the last one, an empty piece: none can be left out, moved or taken from another file of the same key
 *
 * A passphrase becomes a key by scrypt (2^17, 8, 1) with the salt. With a key the salt is part of the place.
 */
export async function sealBackup(
  pieces: readonly Uint8Array[],
  seal: BackupSeal,
  random: RandomBytes,
): Promise<Uint8Array> {
  const salt = toBase64Url(random(SALT_BYTES));
  const rows = openMemoryStore();
  const { store, close } = await sealed(rows, seal, salt, random);
  const keys = placesOf(pieces.length, salt);
  const values = [...pieces, new Uint8Array(0)];
  for (const [i, key] of keys.entries()) await store.commit([{ key, value: values[i] ?? null }]);
  const written: Uint8Array[] = [];
  for (const key of keys) written.push((await rows.get(key))?.value ?? new Uint8Array(0));
  await close();
  const writer = new Writer().text(MAGIC).text(seal.kind).text(salt).u32(written.length);
  for (const piece of written) writer.u32(piece.length).raw(piece);
  return writer.finish();
}

/** The pieces of such a file. @throws BACKUP_DAMAGED, BACKUP_SEALED when the passphrase or the key is another one */
export async function openBackup(file: Uint8Array, seal: BackupSeal): Promise<readonly Uint8Array[]> {
  const { kind, salt, pieces } = readFile(file);
  if (kind !== seal.kind) {
    throw new SymmetraError('BACKUP_SEALED', `the backup is sealed under a ${kind}`);
  }
  const rows = openMemoryStore();
  const { store, close } = await sealed(rows, seal, salt, () => new Uint8Array(SALT_BYTES));
  const keys = placesOf(pieces.length - 1, salt);
  for (const [i, key] of keys.entries()) await rows.commit([{ key, value: pieces[i] ?? null }]);
  try {
    const opened: Uint8Array[] = [];
    for (const key of keys) opened.push((await store.get(key))?.value ?? new Uint8Array(0));
    return opened.slice(0, -1);
  } catch (error) {
    if (!(error instanceof SymmetraError) || error.code !== 'STORE_SEAL_BROKEN') throw error;
    throw new SymmetraError('BACKUP_SEALED', `the ${kind} is another one, or the backup was changed`);
  } finally {
    await close();
  }
}

function placesOf(pieces: number, salt: string): readonly string[] {
  return [...Array.from({ length: pieces }, (_, i) => `${salt}/${i}`), `${salt}/${END}`];
}

async function sealed(
  rows: Store,
  seal: BackupSeal,
  salt: string,
  random: RandomBytes,
): Promise<{ readonly store: Store; readonly close: () => Promise<void> }> {
  const key =
    seal.kind === 'key'
      ? seal.key
      : await passphraseKey(seal.passphrase, fromBase64Url(salt), SCRYPT_PARAMETERS);
  const store = sealStore(rows, key, random);
  return {
    store,
    close: async () => {
      await store.close();
      if (seal.kind === 'passphrase') key.wipe();
    },
  };
}

function readFile(file: Uint8Array) {
  const reader = new Reader(file, 'backup');
  try {
    if (reader.text(MAX_HEAD_BYTES) !== MAGIC) throw damaged();
    const kind = reader.text(MAX_HEAD_BYTES);
    const salt = reader.text(MAX_HEAD_BYTES);
    const pieces: Uint8Array[] = [];
    for (let left = reader.u32(); left > 0; left--) pieces.push(reader.raw(reader.u32()));
    reader.end();
    if (pieces.length === 0 || fromBase64Url(salt).length !== SALT_BYTES) throw damaged();
    return { kind, salt, pieces };
  } catch (error) {
    if (error instanceof SymmetraError && error.code === 'BAD_ENCODING') throw damaged();
    throw error;
  }
}

function damaged(): SymmetraError {
  return new SymmetraError('BACKUP_DAMAGED', 'this is no backup of a node, or a part of it is missing');
}
