import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { filesUnder, isGenerated, packageNames, read, root } from './source-tree.js';

const CODE = /\.(?:ts|tsx|mts|mjs|js|cjs|cts)$/;

const folders = [
  ...packageNames.flatMap((name) => [`packages/${name}/src`, `packages/${name}/bin`]),
  'test',
  'scripts',
  'examples',
  'deploy',
  'docs',
];
const code = folders.flatMap(filesUnder).filter((path) => CODE.test(path));

const tool = (name: string, ...args: string[]): string =>
  execFileSync(join(root, 'node_modules', '.bin', name), args, { cwd: root, encoding: 'utf8' });

test('there is code to check', () => {
  expect(code.length).toBeGreaterThan(packageNames.length);
});

test('the linter sees every file that people write', () => {
  const seen = new Set(tool('oxlint', '--debug=files').split('\n'));
  expect(code.filter((path) => !isGenerated(path) && !seen.has(path))).toEqual([]);
});

test('the compiler sees every file, tests and scripts included', () => {
  const projects = [...read('tsconfig.json').matchAll(/"path":\s*"([^"]+)"/g)].map(([, path = '']) => path);
  const seen = new Set(
    projects.flatMap((project) => tool('tsc', '-p', project, '--listFilesOnly').split('\n')),
  );
  const unseen = code.filter((path) => !path.includes('/bin/') && !seen.has(join(root, path)));
  expect(unseen).toEqual([]);
});

test('every test file stands where the test run looks', () => {
  const lost = code.filter((path) => /\.(?:test|spec)\./.test(path) && !/^test\/.*\.test\.ts$/.test(path));
  expect(lost).toEqual([]);
});
