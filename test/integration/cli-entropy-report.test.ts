import { readFileSync, readdirSync } from 'node:fs';
import { copyFile, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { SignedReport } from '@symmetra/entropy';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refusal } from './cli-inside.js';
import { Bench, Running, reply, symmetra } from './cli-program.js';
import type { Report } from './cli-outcome.js';
import { Yaml, physicalFile } from './entropy-yaml.js';

const bench = new Bench();
const yaml = new Yaml(bench);
afterAll(async () => bench.end());

const QUICK = ['--samples', '10000'];
let sources: string;

/** Makes the next report in a directory. */
async function report(dir: string): Promise<Report> {
  return reply(['entropy', 'report', '--dir', dir, ...QUICK, '--sources', sources]);
}

function verify(file: string, ...args: readonly string[]): string[] {
  return ['entropy', 'verify', file, ...args];
}

/** Writes a copy of a report with something else in it. @returns the copy's path */
async function changed(
  file: string,
  change: (report: { -readonly [Key in keyof SignedReport['report']]: SignedReport['report'][Key] }) => void,
): Promise<string> {
  const signed = JSON.parse(await readFile(file, 'utf8')) as SignedReport;
  change(signed.report);
  const copy = join(await bench.directory(), 'report.json');
  await writeFile(copy, JSON.stringify(signed));
  return copy;
}

describe.skipIf(process.platform === 'win32')('a chain of reports', () => {
  let chain: string;
  let made: readonly Report[];
  const fileOf = (number: number): string => join(chain, `report-00000${number}.json`);

  beforeAll(async () => {
    sources = await yaml.file(physicalFile('card', '/dev/urandom'), { name: 'os', kind: 'os' });
    chain = join(await bench.directory(), 'reports');
    made = [await report(chain), await report(chain), await report(chain)];
  });

  it('lies in one directory with the key that signs it, closed to others', async () => {
    expect((await readdir(chain)).toSorted()).toEqual([
      ...[1, 2, 3].map((number) => `report-00000${number}.json`),
      'signing.key',
    ]);
    for (const name of await readdir(chain)) {
      expect((await stat(join(chain, name))).mode & 0o777).toBe(0o600);
    }
    expect((await stat(chain)).mode & 0o777).toBe(0o700);
  });

  it('tells programs what was made', () => {
    const [first, second, third] = made;
    expect(first).toEqual({
      file: fileOf(1),
      number: 1,
      previous: '0'.repeat(64),
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      signer: expect.stringMatching(/^[0-9a-f]{64}$/),
      sources: [
        {
          name: 'card',
          simulated: false,
          quantum: false,
          claimed: 6,
          assessed: expect.any(Number),
          alarms: 0,
        },
        { name: 'os', simulated: false, quantum: false, claimed: 0, alarms: 0 },
      ],
    });
    expect(second).toMatchObject({ number: 2, previous: first?.['hash'], signer: first?.['signer'] });
    expect(third).toMatchObject({ number: 3, previous: second?.['hash'] });
  });

  it('is verified report by report', async () => {
    const signer = String(made[0]?.['signer']);
    const first = await symmetra(verify(fileOf(1)));
    expect(first.code).toBe(0);
    expect(first.stderr).toMatch(PROGRESS);
    expect(first.stdout).toMatch(/\ncard +physical, raw +6\.0000 +\d\.\d{4} +0\n/);
    expect(first.stdout).toMatch(/\nreport 1 holds: all \d+ numbers follow from its samples\n/);
    expect(first.stdout).toContain(`signed by ${signer} (compare`);
    expect(first.stdout).toMatch(/\nit is the first report of its chain\n$/);
    const second = await symmetra(verify(fileOf(2), '--signer', signer));
    expect(second.stdout).toContain(`signed by ${signer}\n`);
    expect(second.stdout).toMatch(/\nit follows report 1, whose own numbers were not computed again\n$/);
    expect(await reply(verify(fileOf(3), '--previous', fileOf(2)))).toEqual({
      valid: true,
      number: 3,
      signer,
      pinned: false,
      chained: true,
      values: expect.any(Number),
      sources: made[2]?.['sources'],
    });
  });

  it('is verified without the report before it, which it says', async () => {
    const alone = join(await bench.directory(), 'mailed.json');
    await copyFile(fileOf(2), alone);
    const { code, stdout } = await symmetra(verify(alone));
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /\nreport 1, which it should follow, was not looked at: name it with --previous\n$/,
    );
  });

  it('does not hold when somebody else signed it, or it follows another', async () => {
    const other = verify(fileOf(1), '--signer', 'ab'.repeat(32));
    expect(await refusal(other)).toMatchObject({ exit: 1, code: 'REPORT_SIGNER' });
    const skipping = verify(fileOf(3), '--previous', fileOf(1));
    expect(await refusal(skipping)).toMatchObject({ exit: 1, code: 'REPORT_CHAIN' });
    const nothing = verify(fileOf(3), '--previous', fileOf(9));
    expect(await refusal(nothing)).toMatchObject({ exit: 1, code: 'NO_SUCH_FILE' });
  });

  it('does not hold when a report in its middle was changed', async () => {
    const other = await changed(fileOf(2), (inner) => {
      inner.time = '2020-01-01T00:00:00.000Z';
    });
    expect(await refusal(verify(other))).toMatchObject({ exit: 1, code: 'REPORT_SIGNATURE' });
    const next = verify(fileOf(3), '--previous', other);
    expect(await refusal(next)).toMatchObject({ exit: 1, code: 'REPORT_CHAIN' });
  });

  it('does not hold when a sample was changed, or the file is none of a report', async () => {
    const other = await changed(fileOf(1), (inner) => {
      inner.sources = [];
    });
    expect(await refusal(verify(other))).toMatchObject({ exit: 1, code: 'REPORT_SIGNATURE' });
    await writeFile(other, '{"report": {}}');
    expect(await refusal(verify(other))).toMatchObject({ exit: 1, code: 'REPORT_MALFORMED' });
    await writeFile(other, 'report');
    expect(await refusal(verify(other))).toMatchObject({ exit: 1, code: 'FILE_CORRUPT' });
    expect(await refusal(verify(chain))).toMatchObject({ exit: 1, code: 'NOT_A_FILE' });
  });

  it('goes on where two are made at the same time', async () => {
    const dir = join(await bench.directory(), 'reports');
    const both = await Promise.all([report(dir), report(dir)]);
    const [first, second] = both.toSorted((one, other) => Number(one['number']) - Number(other['number']));
    expect(first).toMatchObject({ number: 1 });
    expect(second).toMatchObject({ number: 2, previous: first?.['hash'], signer: first?.['signer'] });
    expect((await readdir(dir)).toSorted()).toEqual([
      'report-000001.json',
      'report-000002.json',
      'signing.key',
    ]);
  });

  it('goes on after nothing that is no report', async () => {
    const dir = await bench.directory();
    await writeFile(join(dir, 'report-000007.json'), '{}');
    const again = ['entropy', 'report', '--dir', dir, ...QUICK, '--sources', sources];
    expect(await refusal(again)).toMatchObject({ exit: 1, code: 'REPORT_MALFORMED' });
  });
});

describe.skipIf(process.platform === 'win32')('a report that can not be made', () => {
  it('names the source that is not there', async () => {
    const dir = join(await bench.directory(), 'reports');
    const absent = await yaml.file(physicalFile('card', '/nowhere/qrandom0'));
    const args = ['entropy', 'report', '--dir', dir, ...QUICK, '--sources', absent];
    const { exit, code, message } = await refusal(args);
    expect({ exit, code }).toEqual({ exit: 1, code: 'SOURCE_UNREACHABLE' });
    expect(message).toMatch(/^source card: /);
    expect(await readdir(dir)).toEqual(['signing.key']);
  });
});

/** The processes that a process has started (proc(5)). */
function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => parentOf(pid) === parent)
    .map(Number);
}

function parentOf(pid: string): number | undefined {
  try {
    const [, , parent] = /\) (\S) (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
    return Number(parent);
  } catch {
    return undefined;
  }
}

/** What a command tells while it works; nothing where the machine is fast. */
const PROGRESS = /^(\d+ % done: [^\n]+\n)*$/;
const TURNS = 600;

describe.skipIf(process.platform !== 'linux')('a long command that is interrupted', () => {
  it.each(['report --dir', 'bundle --out'])(
    '%s: ends with 130 and leaves no process and no file behind',
    async (command) => {
      const directory = await bench.directory();
      const running = new Running(['entropy', ...command.split(' '), join(directory, 'made')]);
      let children: readonly number[] = [];
      for (let turn = 0; turn < TURNS && children.length === 0; turn++) {
        await setTimeout(20);
        children = childrenOf(running.pid);
      }
      expect(children).toHaveLength(1);
      const { code, stdout, stderr } = await running.end('SIGINT');
      expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
      expect(stderr).toMatch(PROGRESS);
      expect(children.filter((pid) => parentOf(String(pid)) !== undefined)).toEqual([]);
      const left = await readdir(directory, { recursive: true });
      expect(left.filter((name) => !['made', join('made', 'signing.key')].includes(name))).toEqual([]);
    },
  );

  it('report, while a battery runs: likewise', async () => {
    const dir = join(await bench.directory(), 'reports');
    const running = new Running(['entropy', 'report', '--dir', dir]);
    for (let turn = 0; turn < TURNS && !running.text.includes('done: SP 800-90B'); turn++) {
      await setTimeout(50);
    }
    const { code, stdout, stderr } = await running.end('SIGINT');
    expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
    expect(stderr).toMatch(PROGRESS);
    expect(await readdir(dir)).toEqual(['signing.key']);
  });
});
