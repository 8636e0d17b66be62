import { resolve } from 'node:path';
import { SymmetraError } from '@symmetra/crypto';
import { readAll, readWhole } from './bounded-input.js';
import type { InputSource } from './invocation.js';

/** More than any token or passphrase has. */
const MAX_BYTES = 16 * 1024;

/**
 * A token as the command line names it: itself, `@FILE`, or `-` for standard input. What is read is trimmed.
 * @throws NO_TOKEN when there is nothing, TOO_LONG
 */
export async function readToken(named: string, input: InputSource): Promise<string> {
  const text = (await tokenText(named, input)).trim();
  if (text === '') throw new SymmetraError('NO_TOKEN', 'there is no token where the command line says it is');
  return text;
}

async function tokenText(named: string, input: InputSource): Promise<string> {
  if (named === '-') return (await readAll(input(), MAX_BYTES)).toString('utf8');
  return named.startsWith('@') ? readText(resolve(named.slice(1))) : named;
}

/**
 * The passphrase in a file: its first line.
 * @throws NO_PASSPHRASE when it is empty, TOO_LONG
 */
export async function readPassphrase(file: string): Promise<string> {
  const [passphrase = ''] = (await readText(file)).split(/\r?\n/, 1);
  if (passphrase === '') throw new SymmetraError('NO_PASSPHRASE', 'the passphrase file is empty');
  return passphrase;
}

async function readText(path: string): Promise<string> {
  return (await readWhole(path, MAX_BYTES)).toString('utf8');
}
