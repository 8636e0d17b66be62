import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import * as inside from './cli-inside.js';
import { refusalIn, replyIn } from './cli-outcome.js';
import type { Outcome, Refused, Report } from './cli-outcome.js';

const packages = fileURLToPath(new URL('../../packages', import.meta.url));
const launcher = join(packages, 'cli', 'bin', 'symmetra.mjs');

/** Milliseconds after which a command that did not end is killed, so that a hanging test says why. */
const PATIENCE_MS = 60_000;

/** How a command is run. */
export interface RunOptions {
  readonly input?: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Whether the programs and packages are built, and the build is not older than the sources. */
export const built = isBuilt();

/** The programs as they are built, when the build is not older than the sources; else the sources themselves. */
export const programArgs: readonly string[] = built
  ? [launcher]
  : ['--conditions=@symmetra/source', launcher];

function isBuilt(): boolean {
  const bundle = join(packages, 'cli', 'dist', 'program', 'symmetra.mjs');
  return readdirSync(packages).every((name) =>
    [bundle, join(packages, name, 'dist', '.tsbuildinfo')].every(
      (output) => existsSync(output) && newest(join(packages, name, 'src')) <= statSync(output).mtimeMs,
    ),
  );
}

function newest(dir: string): number {
  const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Math.max(...files.map((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs));
}

/** A command that runs. */
export class Running {
  readonly #child: ChildProcess;
  readonly #reports: Report[] = [];
  readonly #waiting = new Set<() => void>();
  readonly ended: Promise<Outcome>;
  #stdout = '';
  #stderr = '';
  #outcome: Outcome | undefined;

  constructor(args: readonly string[], { input, cwd, env }: RunOptions = {}) {
    this.#child = spawn(process.execPath, [...programArgs, ...args], {
      stdio: 'pipe',
      ...(cwd !== undefined && { cwd }),
      env: { ...process.env, NODE_OPTIONS: '', ...env },
    });
    const { stdin, stdout, stderr } = this.#child;
    stdin?.on('error', () => undefined);
    stdin?.end(input ?? '');
    if (stdout !== null) {
      stdout.on('data', (text: Buffer) => {
        this.#stdout += text.toString();
      });
      createInterface({ input: stdout }).on('line', (line) => {
        if (line.startsWith('{')) this.#reports.push(JSON.parse(line) as Report);
        this.#check();
      });
    }
    stderr?.on('data', (text: Buffer) => {
      this.#stderr += text.toString();
    });
    this.ended = new Promise((resolve) => {
      this.#child.once('close', (code, signal) => {
        this.#outcome = { code, signal, stdout: this.#stdout, stderr: this.#stderr };
        this.#check();
        resolve(this.#outcome);
      });
    });
  }

  /** The process; 0 when it could not be started. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** What the command wrote until now. */
  get text(): string {
    return this.#stdout + this.#stderr;
  }

  /** The first report of an event that matches, once it is there. */
  async event(name: string, matches: (report: Report) => boolean = () => true): Promise<Report> {
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void): void => {
        clearTimeout(patience);
        this.#waiting.delete(check);
        settle();
      };
      const patience = setTimeout(() => finish(() => reject(this.#never(name))), PATIENCE_MS);
      const check = (): void => {
        const found = this.#reports.find((report) => report['event'] === name && matches(report));
        if (found !== undefined) finish(() => resolve(found));
        else if (this.#outcome !== undefined) finish(() => reject(this.#never(name)));
      };
      this.#waiting.add(check);
      check();
    });
  }

  /** Sends a signal and waits for the end. */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<Outcome> {
    this.#child.kill(signal);
    const patience = setTimeout(() => this.#child.kill('SIGKILL'), PATIENCE_MS);
    const outcome = await this.ended;
    clearTimeout(patience);
    return outcome;
  }

  #check(): void {
    for (const check of this.#waiting) check();
  }

  #never(name: string): Error {
    return new Error(`no event "${name}"; the command said:\n${this.text}`);
  }
}

/** Runs a command to its end. */
export async function symmetra(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const running = new Running(args, options);
  const patience = setTimeout(() => void running.end('SIGKILL'), PATIENCE_MS);
  const outcome = await running.ended;
  clearTimeout(patience);
  return outcome;
}

/** Runs a command with `--json` that must succeed, and gives the one object that it prints. */
export async function reply(args: readonly string[], options: RunOptions = {}): Promise<Report> {
  return replyIn(await symmetra([...args, '--json'], options), args);
}

/** Runs a command with `--json` that must not succeed. */
export async function refusal(args: readonly string[], options: RunOptions = {}): Promise<Refused> {
  return refusalIn(await symmetra([...args, '--json'], options));
}

/** Directories and programs of one test file, all gone at its end. */
export class Bench {
  readonly #directories: string[] = [];
  readonly #running: Running[] = [];

  async directory(): Promise<string> {
    const directory = await mkdtemp(join(tmpdir(), 'symmetra-cli-'));
    this.#directories.push(directory);
    return directory;
  }

  /** Starts a command with `--json`. */
  start(args: readonly string[], options: RunOptions = {}): Running {
    const running = new Running([...args, '--json'], options);
    this.#running.push(running);
    return running;
  }

  /** Starts a network, on free ports unless it had others. */
  async network(data: string, ...args: readonly string[]): Promise<Running> {
    const network = this.start(['up', '--data', data, '--port', '0', ...args]);
    await network.event('up');
    return network;
  }

  /** Starts a device that listens. */
  async listener(state: string, ...args: readonly string[]): Promise<Running> {
    const listener = this.start(['device', 'listen', '--state', state, ...args]);
    await listener.event('listening');
    return listener;
  }

  /** Enrols a device with a token of its own. @returns its id */
  async device(data: string, state: string, name: string, ...args: readonly string[]): Promise<string> {
    const { token } = await inside.reply(['token', 'create', '--data', data]);
    const enrolled = await inside.reply(
      ['device', 'enrol', '--token', '-', '--state', state, '--name', name, ...args],
      { input: String(token) },
    );
    return String(enrolled['deviceId']);
  }

  async end(): Promise<void> {
    await Promise.all(this.#running.map(async (running) => running.end('SIGKILL')));
    await Promise.all(this.#directories.map(async (path) => rm(path, { recursive: true, force: true })));
  }
}
