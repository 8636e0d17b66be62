import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commandFaults, isThere, root, textOf } from './deploy-files.js';

const FILE = 'deploy/docker/Dockerfile';
const WORKDIR = '/opt/symmetra';
const CLI = 'packages/cli';
const COPIED = ['package.json', 'node_modules', 'proto', 'packages'];
const SECRET = /password|secret|token|\.key|\.seed|_auth/i;

interface Instruction {
  readonly name: string;
  readonly words: readonly string[];
  readonly text: string;
}

const source = await textOf(FILE);
const instructions: readonly Instruction[] = source
  .replaceAll(/^#.*\n/gm, '')
  .replaceAll(/\\\n\s*/g, '')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => {
    const [name = '', ...words] = line.split(/\s+/);
    return { name, words, text: line.slice(name.length + 1) };
  });
const starts = instructions.flatMap(({ name }, i) => (name === 'FROM' ? [i] : []));
const build = instructions.slice(starts[0], starts[1]);
const final = instructions.slice(starts[1]);
const all = (name: string, stage: readonly Instruction[] = final) => stage.filter((one) => one.name === name);
const only = (name: string): Instruction => {
  const [found, ...others] = all(name);
  if (found === undefined || others.length > 0) throw new Error(`not one ${name}`);
  return found;
};
const wordsOf = (text: string): readonly string[] => JSON.parse(text) as readonly string[];

describe('the Dockerfile', () => {
  it('has instructions that exist, and two stages', () => {
    const known = /^(?:ARG|FROM|WORKDIR|COPY|RUN|ENV|USER|EXPOSE|STOPSIGNAL|HEALTHCHECK|ENTRYPOINT|CMD)$/;
    expect(instructions.filter(({ name }) => !known.test(name))).toEqual([]);
    expect(starts).toHaveLength(2);
  });

  it('begins with one image whose version is fixed and which our packages run on', () => {
    const [, version = ''] =
      /^NODE_IMAGE=node:(\d+)\.\d+\.\d+-[a-z]+-slim$/.exec(all('ARG', instructions)[0]?.text ?? '') ?? [];
    expect(Number(version)).toBeGreaterThanOrEqual(20);
    expect(Number(version)).toBeLessThan(25);
    const images = all('FROM', instructions).map(({ words }) => words[0] ?? '');
    expect(images.filter((image) => !/^\$\{NODE_IMAGE\}$/.test(image))).toEqual([]);
  });

  it('runs as a numeric user that is not root, and lets it write to its data alone', () => {
    expect(only('USER').text).toBe('10001:10001');
    const [run, ...others] = all('RUN');
    expect(others).toEqual([]);
    expect(run?.text).toBe('install --directory --owner=10001 --group=10001 --mode=0700 /var/lib/symmetra');
    expect(final.filter(({ text }) => text.includes('--chown'))).toEqual([]);
  });

  it('holds no secret', () => {
    expect(
      instructions.filter(({ name, text }) => ['ARG', 'ENV', 'COPY'].includes(name) && SECRET.test(text)),
    ).toEqual([]);
  });

  it('installs what the lockfile says, runs no script of a package, and leaves the tools behind', () => {
    const [run] = all('RUN', build);
    expect(run?.text).toContain('npm ci --ignore-scripts');
    expect(run?.text).toContain('npm prune --omit=dev --ignore-scripts');
    for (const [, script = ''] of run?.text.matchAll(/node (scripts\/\S+)/g) ?? []) {
      expect(isThere('package.json', script), script).toBe(true);
    }
    expect(isThere('package.json', 'packages/cli/tsconfig.json')).toBe(true);
  });

  it('starts commands that there are', async () => {
    const entry = wordsOf(only('ENTRYPOINT').text);
    expect(entry).toEqual(['node', `${WORKDIR}/packages/cli/bin/symmetra.mjs`]);
    expect(await commandFaults([...entry, ...wordsOf(only('CMD').text)])).toEqual([]);
    const [, health = '[]'] = /CMD (\[.*\])$/.exec(only('HEALTHCHECK').text) ?? [];
    expect(await commandFaults(wordsOf(health))).toEqual([]);
    expect(only('EXPOSE').words).toContain(wordsOf(health).at(-1)?.split(':')[1]);
  });

  it('copies what there is', () => {
    expect(only('WORKDIR').text).toBe(WORKDIR);
    expect(all('COPY').map(({ words }) => words)).toEqual(
      COPIED.map((name) => ['--from=build', `/build/${name}`, name === 'package.json' ? './' : `./${name}`]),
    );
    expect(COPIED.filter((name) => !isThere('package.json', name))).toEqual([]);
  });

  // The checks build before they test; a test that is run by itself may find nothing built.
  it.skipIf(!existsSync(join(root, CLI, 'dist/program')))('copies enough to start', async () => {
    const scratch = await mkdtemp(join(tmpdir(), 'symmetra-image-'));
    try {
      for (const name of COPIED.filter((one) => one !== 'packages')) {
        await symlink(join(root, name), join(scratch, name));
      }
      await mkdir(join(scratch, CLI), { recursive: true });
      for (const part of ['bin', 'dist', 'package.json']) {
        await cp(join(root, CLI, part), join(scratch, CLI, part), {
          recursive: true,
          preserveTimestamps: true,
        });
      }
      const args = [join(scratch, CLI, 'bin/symmetra.mjs'), 'node', 'run', '--help'];
      const help = execFileSync(process.execPath, args, { encoding: 'utf8', stdio: 'pipe' });
      expect(help).toContain('Usage: symmetra node run');
    } finally {
      await rm(scratch, { recursive: true });
    }
  });
});

describe('what the image is made of', () => {
  it('is named one by one, and there', async () => {
    const lines = (await textOf(`${FILE}.dockerignore`)).split('\n').filter((line) => /^[^#]/.test(line));
    expect(lines[0]).toBe('*');
    const named = lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
    expect(named.filter((path) => !isThere('package.json', path))).toEqual([]);
    expect(lines).toEqual(expect.arrayContaining(['**/node_modules', '**/dist', '**/*.key', '**/*.seed']));
    expect(named.some((path) => /deploy|test|\.git$/.test(path))).toBe(false);
  });
});
