import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Secret, toBase32 } from '@symmetra/crypto';
import { decodeState, decodeToken } from '@symmetra/protocol';
import { masterKeyFile, openLmdbStore, sealStore } from '@symmetra/storage';

/** Bytes that no log may hold, and where they were found. */
export interface FoundSecret {
  readonly origin: string;
  readonly bytes: Uint8Array;
}

/** Shorter ones would be found by chance. */
const MIN_BYTES = 16;

/** Every secret in the sealed rows of a state directory or a node's directory, and its master key. */
export async function secretsInDirectory(directory: string, keyFile: string): Promise<FoundSecret[]> {
  const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));
  const masterKey = await masterKeyFile(join(directory, keyFile), random);
  const found: FoundSecret[] = [{ origin: `${directory} ${keyFile}`, bytes: masterKey.bytes.slice() }];
  const store = sealStore(await openLmdbStore(join(directory, 'store')), masterKey, random);
  try {
    for (const { key, row } of await store.scan('')) {
      const origin = `${basename(directory)} ${key}`;
      found.push(...secretsIn(row.value).map((bytes) => ({ origin, bytes })));
    }
  } finally {
    await store.close();
  }
  return found;
}

/** The secrets in the value of a row; some rows, such as nonces, hold no state and no secret. */
function secretsIn(value: Uint8Array): Uint8Array[] {
  try {
    return [...walk(decodeState<unknown>(value))];
  } catch {
    return [];
  }
}

function* walk(value: unknown): Generator<Uint8Array> {
  if (value instanceof Secret) yield value.bytes;
  else if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array)) {
    for (const part of Object.values(value)) yield* walk(part);
  }
}

/** A file that is nothing but a secret. */
export async function secretFile(path: string): Promise<FoundSecret> {
  return { origin: path, bytes: new Uint8Array(await readFile(path)) };
}

/** T of an enrolment token. */
export function tokenSecret(text: string): FoundSecret {
  return { origin: 'token', bytes: decodeToken(text).secret.bytes };
}

/** The places in which a text shows a secret, in any of the encodings that programs write bytes in. */
export function leaks(text: string, secrets: readonly FoundSecret[]): string[] {
  const lower = text.toLowerCase();
  return secrets
    .filter(({ bytes }) => bytes.length >= MIN_BYTES)
    .filter(
      ({ bytes }) =>
        exactForms(bytes).some((form) => text.includes(form)) ||
        caselessForms(bytes).some((form) => lower.includes(form)),
    )
    .map(({ origin }) => origin);
}

function caselessForms(bytes: Uint8Array): string[] {
  const hex = Buffer.from(bytes).toString('hex');
  return [hex, hex.replaceAll(/(..)(?!$)/g, '$1 '), hex.replaceAll(/(..)(?!$)/g, '$1:'), toBase32(bytes)];
}

function exactForms(bytes: Uint8Array): string[] {
  const numbers = Array.from(bytes);
  const forms = [numbers.join(','), numbers.join(', ')];
  // Inside a longer base64 text the bytes may begin at any of three places of its four-character groups.
  for (const shift of [0, 1, 2]) {
    const before = Buffer.concat([Buffer.alloc(shift), bytes]);
    const first = Math.ceil((shift * 4) / 3);
    const whole = Math.floor((before.length * 4) / 3);
    for (const encoding of ['base64', 'base64url'] as const) {
      forms.push(before.toString(encoding).slice(first, whole));
    }
  }
  return forms;
}
