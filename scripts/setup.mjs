// Puts a checkout in working order. Runs before anything is installed: Node built-ins only.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Of 0 to 19, for what yields: others are served first, and a sixth of the time is left when they want all of it. */
const YIELDING = 5;

/** The root of the checkout. */
export const root = fileURLToPath(new URL('..', import.meta.url));

/** @typedef {{ version?: string, link?: boolean, optional?: boolean, devOptional?: boolean, bin?: Record<string, string> }} LockEntry */

/**
 * Runs a program in the root of the checkout; SIGINT and SIGTERM are handed on to it.
 * @param {string} program a program on the PATH, or one of the installed tools
 * @param {readonly string[]} args
 * @param {{ hold?: (output: Buffer) => void, yields?: boolean }} [options] `hold` takes what it writes; without it,
 * that is the output of this process. What `yields` gets the time that others leave.
 * @returns {Promise<number>} its exit code; 1 when a signal ended it
 */
export function run(program, args, { hold, yields = false } = {}) {
  const output = hold === undefined ? 'inherit' : 'pipe';
  const tool = join(root, 'node_modules', '.bin', program);
  const child = spawn(existsSync(tool) ? tool : program, args, {
    cwd: root,
    stdio: ['ignore', output, output],
  });
  if (yields && child.pid !== undefined) setPriority(child.pid, YIELDING);
  if (hold !== undefined) for (const stream of [child.stdout, child.stderr]) stream?.on('data', hold);
  /** @param {NodeJS.Signals} signal */
  const handOn = (signal) => {
    child.kill(signal);
  };
  process.on('SIGINT', handOn).on('SIGTERM', handOn);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      process.off('SIGINT', handOn).off('SIGTERM', handOn);
      resolve(code ?? 1);
    });
  });
}

/**
 * Installs the packages of the lockfile unless they are there already, and links our own programs.
 * @throws {Error} when npm fails
 */
export async function ensureInstalled() {
  const reason = whyInstall();
  if (reason !== undefined) {
    console.log(`installing packages (npm ci): ${reason}`);
    await mustRun('npm', ['ci', '--include=dev', '--no-audit', '--no-fund']);
  } else if (hasUnlinkedProgram()) {
    console.log('linking programs (npm rebuild)');
    await mustRun('npm', ['rebuild', '--workspaces']);
  }
}

/**
 * Compiles the packages (what has not changed is skipped) and bundles the program.
 * @throws {Error} when they do not compile
 */
export async function ensureBuilt() {
  await mustRun('tsc', ['-b', 'packages/cli']);
  await mustRun('node', ['scripts/bundle.mjs']);
}

/** @param {string} program @param {readonly string[]} args */
async function mustRun(program, args) {
  const code = await run(program, args);
  if (code !== 0) throw new Error(`${program} ${args[0]} failed with exit code ${code}`);
}

/** @returns {string | undefined} what differs between the lockfile and `node_modules` */
function whyInstall() {
  const hidden = join('node_modules', '.package-lock.json');
  if (!existsSync(join(root, hidden))) return 'nothing is installed yet';
  const installed = lockEntries(hidden);
  for (const [path, entry] of Object.entries(lockEntries('package-lock.json'))) {
    if (!path.includes('node_modules/')) continue;
    const found = installed[path];
    // Packages for other platforms are optional and stay away.
    const mayBeAbsent = entry.optional === true || entry.devOptional === true;
    if (found === undefined ? !mayBeAbsent : found.version !== entry.version) return `${path} has changed`;
  }
  return undefined;
}

/** @returns {boolean} whether a program of our own packages is there but not in node_modules/.bin */
function hasUnlinkedProgram() {
  return Object.entries(lockEntries('package-lock.json'))
    .filter(([path]) => path.startsWith('packages/'))
    .flatMap(([path, { bin = {} }]) =>
      Object.entries(bin).map(([name, file]) => ({ name, file: join(path, file) })),
    )
    .some(
      ({ name, file }) =>
        existsSync(join(root, file)) && !existsSync(join(root, 'node_modules', '.bin', name)),
    );
}

/**
 * @param {string} file relative to the root
 * @returns {Record<string, LockEntry>}
 */
function lockEntries(file) {
  const lock = /** @type {{ packages: Record<string, LockEntry> }} */ (
    JSON.parse(readFileSync(join(root, file), 'utf8'))
  );
  return lock.packages;
}
