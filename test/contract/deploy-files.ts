import { existsSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Invocation, Output, runProgram } from '@symmetra/cli';
import { createLogger, systemClock } from '@symmetra/runtime';
import { parseYaml } from '../../packages/runtime/src/yaml-file.js';

/* The files under deploy/, and the programs that they start. */

export const root = fileURLToPath(new URL('../..', import.meta.url));
const PROGRAM = '/opt/symmetra/packages/cli/bin/symmetra.mjs';

/** The text of a file of the repository. */
export async function textOf(path: string): Promise<string> {
  return readFile(join(root, path), 'utf8');
}

/** The documents of a YAML file. */
export async function documentsOf(path: string): Promise<readonly unknown[]> {
  const parts = (await textOf(path)).split(/^---$/m);
  return Promise.all(parts.map(async (part) => parseYaml(part, path)));
}

/** The YAML files in a folder and below, as paths relative to the root. */
export async function yamlFilesIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(join(root, folder), { recursive: true });
  return entries
    .filter((name) => /\.ya?ml$/.test(name))
    .map((name) => join(folder, name))
    .toSorted();
}

/** Whether a path, relative to a file of the repository, is there. */
export function isThere(file: string, path: string): boolean {
  return existsSync(join(root, dirname(file), path));
}

/**
 * What is wrong with a command line of ours: commands that `symmetra --help` does not know, options that the help of
 * the command does not name.
 * @param words what follows `symmetra`, or the whole command with the path of the program in it
 */
export async function commandFaults(words: readonly string[]): Promise<readonly string[]> {
  const own = words[1] === PROGRAM ? words.slice(2) : words;
  const end = own.findIndex((word) => word.startsWith('-'));
  const names = end < 0 ? own : own.slice(0, end);
  const help = await helpOf(names);
  if (!help.startsWith(`Usage: symmetra ${names.join(' ')} [options]\n`)) {
    return [`no command ${names.join(' ')}`];
  }
  return own
    .filter((word) => word.startsWith('--'))
    .filter((option) => !new RegExp(`^  ${option} `, 'm').test(help))
    .map((option) => `${names.join(' ')} has no ${option}`);
}

async function helpOf(names: readonly string[]): Promise<string> {
  let help = '';
  const sink = { write: (part: string) => (help += part) };
  const silent = { write: () => undefined };
  const logger = createLogger({ level: 'silent', clock: systemClock });
  const invocation = new Invocation(new Output(true, silent, silent), systemClock, logger);
  await runProgram(invocation, [...names, '--help'], sink);
  await invocation.end();
  return help;
}
