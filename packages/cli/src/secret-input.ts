import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { SymmetraError } from '@symmetra/crypto';

/** More than any token or passphrase has. */
const MAX_BYTES = 16 * 1024;

/**
 * A token as the command line names it: itself, `@FILE`, or `-` for standard input. What is read is trimmed.
 * @throws NO_TOKEN when there is nothing, TOO_LONG
 */
export async function readToken(named: string, input: AsyncIterable<unknown>): Promise<string> {
  const text = (await tokenText(named, input)).trim();
  if (text === '') throw new SymmetraError('NO_TOKEN', 'there is no token where the command line says it is');
  return text;
}

async function tokenText(named: string, input: AsyncIterable<unknown>): Promise<string> {
  if (named === '-') return readAll(input);
  return named.startsWith('@') ? readBounded(resolve(named.slice(1))) : named;
}

/**
 * The passphrase in a file: its first line.
 * @throws NO_PASSPHRASE when it is empty, TOO_LONG
 */
export async function readPassphrase(file: string): Promise<string> {
  const [passphrase = ''] = (await readBounded(file)).split(/\r?\n/, 1);
  if (passphrase === '') throw new SymmetraError('NO_PASSPHRASE', 'the passphrase file is empty');
  return passphrase;
}

async function readBounded(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    return await readAll(file.createReadStream({ autoClose: false }));
  } finally {
    await file.close();
  }
}

async function readAll(input: AsyncIterable<unknown>): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of input) {
    const bytes = typeof part === 'string' ? Buffer.from(part) : Buffer.from(part as Uint8Array);
    length += bytes.length;
    if (length > MAX_BYTES) {
      throw new SymmetraError('TOO_LONG', 'the input is longer than any token or passphrase');
    }
    parts.push(bytes);
  }
  return Buffer.concat(parts).toString('utf8');
}
