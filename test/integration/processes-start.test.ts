import { spawn } from 'node:child_process';
import type { ChildProcess, ChildProcessByStdio } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';

/* `npm start`, as a person runs it, on a directory of its own. */

const root = fileURLToPath(new URL('../..', import.meta.url));
const script = join(root, 'scripts', 'start.mjs');
const UP = /Ctrl-C ends everything/;
const PATIENCE_MS = 90_000;

const directories: string[] = [];
const started = new Set<number>();

afterEach(async () => {
  for (const pid of started) endGroup(pid);
  started.clear();
  await Promise.all(directories.splice(0).map(async (path) => rm(path, { recursive: true, force: true })));
});

/** Ends a child that a failed test left behind. */
function endGroup(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

interface Start {
  readonly child: ChildProcess;
  readonly text: () => string;
  /** Waits for a text in the output. */
  readonly says: (pattern: RegExp) => Promise<void>;
  readonly ended: Promise<number | null>;
}

async function directory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'symmetra-start-'));
  directories.push(path);
  return path;
}

function start(...args: readonly string[]): Start {
  return watch(spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] }));
}

function watch(child: ChildProcessByStdio<null, Readable, Readable>): Start {
  let output = '';
  const waiting = new Set<() => void>();
  const take = (text: Buffer): void => {
    output += text.toString();
    for (const check of waiting) check();
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  started.add(child.pid ?? 0);
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', (code) => resolve(code));
  });
  return {
    child,
    text: () => output,
    ended,
    says: async (pattern) =>
      new Promise((resolve, reject) => {
        const patience = setTimeout(
          () => reject(new Error(`it never said ${pattern}:\n${output}`)),
          PATIENCE_MS,
        );
        const check = (): void => {
          if (!pattern.test(output)) return;
          clearTimeout(patience);
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        child.once('close', () => {
          clearTimeout(patience);
          reject(new Error(`it ended:\n${output}`));
        });
        check();
      }),
  };
}

/** The processes whose command line names a directory: those of one run of `npm start`. */
function processesOf(path: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(join('/proc', pid, 'cmdline'), 'utf8').includes(path);
      } catch {
        return false;
      }
    })
    .map(Number);
}

const idsIn = (text: string): string[] =>
  [...text.matchAll(/npx .* revoke ([a-z2-7]{52})/g)].map(([, id = '']) => id);

describe.skipIf(process.platform !== 'linux')('npm start', () => {
  it('shows the whole path, stays up, ends with Ctrl-C without leaving a process, and goes on the next time', async () => {
    const data = await directory();
    const first = start('--data', data, '--port', '0');
    await first.says(UP);
    expect(first.text()).toMatch(/alice's fingerprint {2}([0-9a-f]{4} ?)+/);
    const prints = [...first.text().matchAll(/fingerprint {2,}((?:[0-9a-f]{4} ?)+)/g)].map(
      ([, print]) => print,
    );
    expect(prints).toHaveLength(2);
    expect(prints[0]).toBe(prints[1]);
    expect(first.text()).toMatch(/nodes node-\d, node-\d/);
    expect(first.text()).toMatch(/agreed in \d+ ms/);
    expect(first.text()).toContain('the same at both ends');
    expect(first.text()).toContain('npx --no-install symmetra');
    expect(processesOf(data)).toHaveLength(4);

    first.child.kill('SIGINT');
    expect(await first.ended).toBe(0);
    expect(processesOf(data)).toEqual([]);

    const second = start('--data', data);
    await second.says(UP);
    expect(second.text()).toContain('alice is enrolled since an earlier start');
    expect(idsIn(second.text())).toEqual(idsIn(first.text()));

    for (const pid of processesOf(data)) endGroup(pid);
    await second.ended;
    await expect.poll(() => processesOf(data), { timeout: 15_000 }).toEqual([]);

    const third = start('--data', data);
    await third.says(UP);
    expect(idsIn(third.text())).toEqual(idsIn(first.text()));
    third.child.kill('SIGTERM');
    expect(await third.ended).toBe(0);
    expect(processesOf(data)).toEqual([]);
  });

  it('takes its children with it when it is killed', async () => {
    const data = await directory();
    const killed = start('--data', data, '--port', '0');
    await killed.says(UP);
    const children = processesOf(data).filter((pid) => pid !== killed.child.pid);
    expect(children).toHaveLength(3);
    killed.child.kill('SIGKILL');
    await killed.ended;
    await expect.poll(() => processesOf(data), { timeout: 15_000 }).toEqual([]);
  });

  it('ends when npm alone is told to end', async () => {
    const data = await directory();
    const npm = watch(
      spawn('npm', ['start', '--', '--data', data, '--port', '0'], {
        cwd: root,
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    );
    await npm.says(UP);
    npm.child.kill('SIGTERM');
    await npm.ended;
    await expect.poll(() => processesOf(data), { timeout: 15_000 }).toEqual([]);
  });

  it('says what to do when a port is taken, and leaves nothing running', async () => {
    const data = await directory();
    const server = createServer();
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const address = server.address();
    const taken = typeof address === 'object' && address !== null ? address.port : 0;
    const refused = start('--data', data, '--port', `${taken - 1}`);
    expect(await refused.ended).toBe(1);
    expect(refused.text()).toMatch(/PORT_IN_USE: .*\n.*npm start -- --port/);
    expect(processesOf(data)).toEqual([]);
    await new Promise<unknown>((resolve) => {
      server.close(resolve);
    });
  });

  it('refuses a port that is none', async () => {
    const refused = start('--port', 'http');
    expect(await refused.ended).toBe(1);
    expect(refused.text()).toMatch(/the port must be a number/);
  });
});
