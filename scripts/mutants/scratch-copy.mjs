// A copy of the checkout in which mutants are planted, so that no test of theirs touches the real files.
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { root } from '../setup.mjs';

const SCOPE = '@symmetra';

/**
 * The files that git tracks, as they stand in the working tree, and `node_modules` that lead into the copy. What tests
 * start as a program of its own runs from the build of the checkout: it has no mutant in it.
 */
export class ScratchCopy {
  /** The root of the copy. */
  directory = mkdtempSync(join(tmpdir(), 'symmetra-mutants-'));

  constructor() {
    const listed = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' });
    for (const file of listed.split('\0').filter((name) => name !== '' && existsSync(join(root, name)))) {
      mkdirSync(join(this.directory, dirname(file)), { recursive: true });
      copyFileSync(join(root, file), join(this.directory, file));
    }
    this.#linkModules();
    this.#linkBuilds();
  }

  /** @param {string} file relative to the root @returns {string} */
  read(file) {
    return readFileSync(join(this.directory, file), 'utf8');
  }

  /** @param {string} file relative to the root @param {string} text */
  write(file, text) {
    writeFileSync(join(this.directory, file), text);
  }

  remove() {
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** Third-party packages are those of the checkout; our own are the copy's. */
  #linkModules() {
    const installed = realpathSync(join(root, 'node_modules'));
    const modules = join(this.directory, 'node_modules');
    mkdirSync(join(modules, SCOPE), { recursive: true });
    for (const name of readdirSync(installed)) {
      if (name !== SCOPE && name !== '.cache') symlinkSync(join(installed, name), join(modules, name));
    }
    for (const name of readdirSync(join(this.directory, 'packages'))) {
      symlinkSync(join(this.directory, 'packages', name), join(modules, SCOPE, name));
    }
  }

  #linkBuilds() {
    for (const name of readdirSync(join(this.directory, 'packages'))) {
      const built = join(root, 'packages', name, 'dist');
      if (existsSync(built)) symlinkSync(built, join(this.directory, 'packages', name, 'dist'));
    }
  }
}
