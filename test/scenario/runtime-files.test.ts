import { spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SymmetraError } from '@symmetra/crypto';
import { readJsonFile, writeFileAtomic, writeJsonFile } from '@symmetra/runtime';
import { describe, expect, it, onTestFinished } from 'vitest';

async function temporaryDirectory(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'symmetra-files-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

async function refusal(action: Promise<unknown>): Promise<SymmetraError | undefined> {
  try {
    await action;
  } catch (error) {
    if (error instanceof SymmetraError) return error;
    throw error;
  }
  return undefined;
}

describe('a state file', () => {
  it('is written whole, private, and replaced without a trace of the old one', async () => {
    const dir = await temporaryDirectory();
    const path = join(dir, 'network.json');
    await writeFile(path, 'old', { mode: 0o644 });
    await writeFileAtomic(path, 'new');
    expect(await readFile(path, 'utf8')).toBe('new');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await writeFileAtomic(path, Uint8Array.of(1, 2, 3));
    expect([...(await readFile(path))]).toEqual([1, 2, 3]);
    expect(await readdir(dir)).toEqual(['network.json']);
  });

  it('is one of them, whole, when several write it at once', async () => {
    const dir = await temporaryDirectory();
    const path = join(dir, 'state.json');
    const contents = Array.from({ length: 10 }, (_, i) => `${i}`.repeat(50_000));
    await Promise.all(contents.map((content) => writeFileAtomic(path, content)));
    expect(contents).toContain(await readFile(path, 'utf8'));
    expect(await readdir(dir)).toEqual(['state.json']);
  });

  it('holds a JSON value, and none when it is not there', async () => {
    const path = join(await temporaryDirectory(), 'state.json');
    expect(await readJsonFile(path)).toBeUndefined();
    const value = { version: 1, nodes: ['n1'], nothing: null };
    await writeJsonFile(path, value);
    expect(await readJsonFile(path)).toEqual(value);
  });

  it('is refused, without a word of its content, when it is not JSON', async () => {
    const path = join(await temporaryDirectory(), 'state.json');
    for (const content of ['', '{"secret": "hunter2"', 'hunter2']) {
      await writeFile(path, content);
      const error = await refusal(readJsonFile(path));
      expect(error?.code).toBe('FILE_CORRUPT');
      expect(JSON.stringify([error?.message, error?.details, String(error?.cause)])).not.toContain('hunter2');
    }
  });

  it('names a directory that is missing, or is none', async () => {
    const dir = await temporaryDirectory();
    await writeFile(join(dir, 'file'), '');
    expect((await refusal(writeFileAtomic(join(dir, 'missing', 'state.json'), 'x')))?.code).toBe(
      'NO_DIRECTORY',
    );
    expect((await refusal(writeFileAtomic(join(dir, 'file', 'state.json'), 'x')))?.code).toBe('NO_DIRECTORY');
    await mkdir(join(dir, 'directory'));
    expect((await refusal(writeFileAtomic(join(dir, 'directory'), 'x')))?.code).toBe('FILE_FAILED');
    expect((await readdir(dir)).toSorted()).toEqual(['directory', 'file']);
  });

  it('names a directory that is closed to this user', async () => {
    const dir = await temporaryDirectory();
    const path = join(dir, 'state.json');
    await writeFileAtomic(path, 'kept');
    await chmod(dir, 0o500);
    const nobody = 65_534;
    const isRoot = process.geteuid?.() === 0;
    if (isRoot) process.seteuid?.(nobody);
    const errors = [await refusal(writeFileAtomic(path, 'new')), await refusal(writeJsonFile(path, {}))];
    if (isRoot) process.seteuid?.(0);
    await chmod(dir, 0o700);
    expect(errors.map((error) => error?.code)).toEqual(['NO_PERMISSION', 'NO_PERMISSION']);
    expect(await readFile(path, 'utf8')).toBe('kept');
  });

  it('stays as it was when there is no room for the new content', async () => {
    const dir = await temporaryDirectory();
    const path = join(dir, 'state.json');
    await writeFileAtomic(path, 'kept');
    const program = fileURLToPath(new URL('runtime-no-room.ts', import.meta.url));
    const node = [process.execPath, '--import', 'tsx', '--conditions', '@symmetra/source', program, path];
    const { stdout } = spawnSync('sh', ['-c', 'ulimit -f 64 && exec "$@"', 'sh', ...node], {
      encoding: 'utf8',
      env: { ...process.env, TSX_DISABLE_CACHE: '1' },
    });
    expect(stdout).toBe('DISK_FULL');
    expect(await readFile(path, 'utf8')).toBe('kept');
    expect(await readdir(dir)).toEqual(['state.json']);
  });
});
