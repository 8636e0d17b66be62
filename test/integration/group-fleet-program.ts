import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { built } from './cli-program.js';

const ENTRY = fileURLToPath(new URL('group-fleet-process.ts', import.meta.url));
const MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url));

/** The program of a process of members, and what Node is started with. */
export interface HouseholdProgram {
  readonly path: string;
  readonly execArgv: readonly string[];
}

/** Compiles it into a folder, once for all processes: each would spend two seconds on it otherwise. */
export async function householdProgram(folder: string): Promise<HouseholdProgram> {
  const path = join(folder, 'household.mjs');
  await symlink(MODULES, join(folder, 'node_modules'));
  await build({
    entryPoints: [ENTRY],
    outfile: path,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
  });
  return { path, execArgv: built ? [] : ['--conditions=@symmetra/source', '--import', 'tsx'] };
}
