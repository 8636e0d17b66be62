import { createHash, randomUUID } from 'node:crypto';
import { readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SymmetraError } from '@symmetra/crypto';
import { isErrno, linkOnce } from './durable-file.js';
import { currentProcess, isAlive, parseIdentity } from './process-identity.js';
import type { ProcessIdentity } from './process-identity.js';
import { storageError } from './storage-error.js';

/** Exclusive ownership of a directory, until it is released or the process is gone. */
export interface Ownership {
  /** Doing it again has no effect. */
  release(): Promise<void>;
}

const MAX_ATTEMPTS = 64;
const MAX_DEPTH = 8;

/**
 * Makes this process the one owner of a directory, or tells who is. The owner is named in a claim
 * file; the claim of a process that is gone, by whatever death, is taken over. The processes must
 * share the directory's file system and one view of process ids.
 *
 * A claim appears whole (link of a complete file) and is replaced only through its guard, a claim
 * of its own whose name is the hash of the dead claim. Every claim is unique, so whoever holds that
 * guard and still finds the dead claim in place is alone in replacing it; whoever was slower finds
 * another one and begins again. The guard of a process that died while it held it is taken over in
 * the same way.
 *
 * @param name of the claim file, for directories that are owned in several roles.
 * @throws OWNERSHIP_CONTENDED when claims kept changing under all attempts.
 */
export async function acquire(
  dir: string,
  name = 'owner',
): Promise<Ownership | { readonly ownedBy: number }> {
  const path = join(dir, name);
  try {
    const holder = await take(path, path, await newClaim(), 0);
    if (holder !== undefined) return { ownedBy: holder.pid };
    await removeLeftovers(dir, name);
  } catch (error) {
    throw await storageError(error, dir);
  }
  let released: Promise<void> | undefined;
  return {
    release() {
      released ??= rm(path, { force: true });
      return released;
    },
  };
}

/** Puts `claim` at `path`. @returns the living process that holds it instead, if one does. */
async function take(
  path: string,
  base: string,
  claim: string,
  depth: number,
): Promise<ProcessIdentity | undefined> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    if (await place(path, base, claim)) return undefined;
    const found = await readClaim(path);
    if (found === undefined) continue;
    const holder = parseIdentity(found);
    if (holder && (await isAlive(holder))) return holder;
    const outcome = await replace(path, base, found, claim, depth);
    if (outcome === 'done') return undefined;
    if (outcome !== 'changed') return outcome;
  }
  throw new SymmetraError('OWNERSHIP_CONTENDED', 'the ownership of the directory kept changing hands');
}

/** Replaces the claim of a dead process, if it still stands there. */
async function replace(
  path: string,
  base: string,
  dead: string,
  claim: string,
  depth: number,
): Promise<'done' | 'changed' | ProcessIdentity> {
  if (depth === MAX_DEPTH) {
    throw new SymmetraError(
      'OWNERSHIP_CONTENDED',
      'too many processes died while they took over the directory',
    );
  }
  const guard = `${base}.guard-${createHash('sha256').update(dead).digest('hex').slice(0, 32)}`;
  const rival = await take(guard, base, await newClaim(), depth + 1);
  if (rival !== undefined) return rival;
  try {
    if ((await readClaim(path)) !== dead) return 'changed';
    const temporary = await writeClaim(base, claim);
    return (await unlessRemoved(rename(temporary, path))) === 'removed' ? 'changed' : 'done';
  } finally {
    await rm(guard, { force: true });
  }
}

/** Puts a whole claim at a name that is free. @returns whether it stands there now. */
async function place(path: string, base: string, claim: string): Promise<boolean> {
  const temporary = await writeClaim(base, claim);
  try {
    return (await unlessRemoved(linkOnce(temporary, path))) === true;
  } finally {
    await rm(temporary, { force: true });
  }
}

/** A claim file under a name of its own, which a new owner may remove again. */
async function writeClaim(base: string, claim: string): Promise<string> {
  const temporary = `${base}.claim-${randomUUID()}`;
  await writeFile(temporary, claim, { flag: 'wx', mode: 0o600 });
  return temporary;
}

async function unlessRemoved<T>(action: Promise<T>): Promise<T | 'removed'> {
  try {
    return await action;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return 'removed';
    throw error;
  }
}

async function newClaim(): Promise<string> {
  return JSON.stringify({ ...(await currentProcess()), claim: randomUUID() });
}

async function readClaim(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/**
 * Removes what killed processes left. While this process lives, no guard but that of an older claim
 * can exist, and its holder will find that claim gone; who loses a claim file tries again.
 */
async function removeLeftovers(dir: string, name: string): Promise<void> {
  for (const entry of await readdir(dir)) {
    const leftover = entry.startsWith(`${name}.guard-`) || entry.startsWith(`${name}.claim-`);
    if (leftover) await rm(join(dir, entry), { force: true });
  }
}
