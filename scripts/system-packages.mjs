// The programs of others that the tests meet, and the packages of Debian and its kin that hold them. Run by itself:
// installs what is missing, or fails. Node built-ins only.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** @typedef {{ package: string, program: string } | { package: string, python: string }} Need */

/** @type {readonly Need[]} */
const NEEDS = [
  { package: 'openssl', program: 'openssl' },
  { package: 'gnutls-bin', program: 'gnutls-cli' },
  { package: 'python3', program: 'python3' },
  { package: 'python3-grpcio', python: 'grpc' },
  { package: 'python3-cryptography', python: 'cryptography' },
  { package: 'softhsm2', program: 'softhsm2-util' },
  { package: 'swtpm', program: 'swtpm' },
  { package: 'nats-server', program: 'nats-server' },
  { package: 'redis-server', program: 'redis-server' },
  { package: 'redis-sentinel', program: 'redis-sentinel' },
  { package: 'iproute2', program: 'ip' },
  { package: 'systemd', program: 'systemd-analyze' },
];

/** Where programs for administrators stand, which are not on everybody's PATH. */
const SYSTEM_FOLDERS = ['/usr/sbin', '/sbin'];

const INSTALLER = 'apt-get';

/** A package that is being installed asks this program whether it may start its services. */
const POLICY = '/usr/sbin/policy-rc.d';

/** Puts the folders of administrators on the PATH of this process and its children. */
function widenPath() {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const absent = SYSTEM_FOLDERS.filter((folder) => !folders.includes(folder) && existsSync(folder));
  process.env['PATH'] = [...folders, ...absent].join(delimiter);
}

/** @param {string} program @returns {string | undefined} where it stands */
function find(program) {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, program))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** @returns {string[]} the packages whose programs are not there */
function missingPackages() {
  return NEEDS.filter((need) =>
    'program' in need ? find(need.program) === undefined : !canImport(need.python),
  ).map((need) => need.package);
}

/** @param {string} module @returns {boolean} whether a Python of this machine has it */
function canImport(module) {
  return ['python3', '/usr/bin/python3'].some(
    (python) => spawnSync(python, ['-c', `import ${module}`], { stdio: 'ignore' }).status === 0,
  );
}

/**
 * Installs packages and starts none of their services: the tests start their own servers.
 * @param {readonly string[]} packages
 */
function install(packages) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const holdsServices = !existsSync(POLICY);
  if (holdsServices) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    for (const args of [['update'], ['install', '--yes', '--no-install-recommends', ...packages]]) {
      spawnSync(INSTALLER, ['--quiet', '--quiet', ...args], { stdio: ['ignore', 'inherit', 'inherit'], env });
    }
  } finally {
    if (holdsServices) rmSync(POLICY);
  }
}

/**
 * Sees to the programs that the tests meet. Installs what is missing where this process may; else says how, and the
 * tests that need it are left out.
 * @throws {Error} under CI, where nothing may be left out
 */
export function ensureSystemPackages() {
  widenPath();
  let missing = missingPackages();
  if (missing.length > 0 && process.getuid?.() === 0 && find(INSTALLER) !== undefined) {
    console.log(`installing programs that the tests meet (${INSTALLER}): ${missing.join(' ')}`);
    install(missing);
    missing = missingPackages();
  }
  if (missing.length === 0) return;
  const how = `Debian or Ubuntu: sudo apt-get install --no-install-recommends ${missing.join(' ')}`;
  if (process.env['CI'] === 'true') throw new Error(`programs are missing that the tests meet. ${how}`);
  console.log(`tests are left out, for their programs are missing. ${how}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    ensureSystemPackages();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
