import { execFile } from 'node:child_process';
import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { Bench, refusal, symmetra } from './cli-program.js';

const bench = new Bench();
afterAll(async () => bench.end());

const ID = 'a'.repeat(52);
const KEY = '0'.repeat(32);

describe('the program', () => {
  it('lists every group and the exit codes in its help', async () => {
    const { code, stdout, stderr } = await symmetra(['--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const word of ['up', 'token', 'device', 'key', 'send', 'group', 'entropy', 'admin', 'Exit codes']) {
      expect(stdout).toContain(word);
    }
  });

  it('prints its version', async () => {
    const { code, stdout } = await symmetra(['--version']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('tells wrong usage with exit code 2, in one line, with nothing on standard output', async () => {
    const { code, stdout, stderr } = await symmetra(['up', '--explode']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^USAGE: [^\n]+\n$/);
  });

  it('tells wrong usage to programs as one JSON object', async () => {
    expect(await refusal(['key', 'negotiate', '--state', 'x', '--peer', 'bob'])).toMatchObject({
      exit: 2,
      code: 'USAGE',
      message: expect.stringContaining('--peer'),
    });
  });
});

describe('a command without what it needs', () => {
  it.each([
    { name: 'network', args: ['token', 'create', '--data'], code: 'NO_NETWORK' },
    { name: 'device state', args: ['device', 'status', '--state'], code: 'STATE_MISSING' },
    { name: 'device state to psk from', args: ['key', 'list', '--state'], code: 'STATE_MISSING' },
  ])('says that there is no $name', async ({ args, code }) => {
    const nowhere = join(await bench.directory(), 'nothing');
    expect(await refusal([...args, nowhere])).toMatchObject({ exit: 1, code });
  });

  it('says that a file to send is not there', async () => {
    const directory = await bench.directory();
    const args = ['send', '--state', directory, '--peer', ID, join(directory, 'absent')];
    expect(await refusal(args)).toMatchObject({ exit: 1, code: 'NO_SUCH_FILE' });
  });

  it('says that the file to write exists', async () => {
    const directory = await bench.directory();
    const args = ['key', 'psk', '--state', directory, '--key', KEY, '--role', 'client', '--out', directory];
    expect(await refusal(args)).toMatchObject({ exit: 1, code: 'FILE_EXISTS' });
  });

  it('says so in one line that begins with the code', async () => {
    const directory = join(await bench.directory(), 'nothing');
    const { code, stdout, stderr } = await symmetra(['token', 'create', '--data', directory]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^NO_NETWORK: [^\n]+\n$/);
  });
});

describe('the launcher', () => {
  it('says what to do when nothing is built', async () => {
    const directory = await bench.directory();
    const copy = join(directory, 'bin', 'symmetra.mjs');
    await mkdir(join(directory, 'bin'));
    await cp(fileURLToPath(new URL('../../packages/cli/bin/symmetra.mjs', import.meta.url)), copy);
    const outcome = promisify(execFile)(process.execPath, [copy, '--version']);
    await expect(outcome).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^NOT_BUILT: .*npm ci/),
    });
  });
});
