import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const START_MS = 60_000;
const STOP_MS = 15_000;
const LOOK_MS = 20;

/** How a program is started, and how one knows that it is ready. */
export interface ProgramSpec {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  /** Takes what it writes, and keeps what it wrote before. */
  readonly logFile: string;
  /** Says which process it is, for whoever comes after a crash of this one. */
  readonly pidFile: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Where it answers once it is ready. */
  readonly port: number;
  /** Asks whether it is ready; when left out, it is once its port takes connections. */
  readonly isReady?: () => Promise<boolean>;
}

/** A process of a cluster: it can be ended, killed, stopped for a while and started again. */
export class Program {
  readonly name: string;
  readonly logFile: string;
  readonly port: number;
  readonly #spec: ProgramSpec;
  #child: ChildProcess | undefined;

  constructor(spec: ProgramSpec) {
    this.name = spec.name;
    this.logFile = spec.logFile;
    this.port = spec.port;
    this.#spec = spec;
  }

  get isRunning(): boolean {
    return this.#child?.exitCode === null && this.#child.signalCode === null;
  }

  get pid(): number {
    if (!this.isRunning || this.#child?.pid === undefined) throw new Error(`${this.name} does not run`);
    return this.#child.pid;
  }

  /** What it wrote so far, all its starts together. */
  get log(): string {
    return readFileSync(this.logFile, 'utf8');
  }

  /** Starts it, and waits until it is ready. @throws Error with the end of its log */
  async start(): Promise<void> {
    await this.launch();
    await this.untilReady();
  }

  /** Starts it, and does not wait. */
  async launch(): Promise<void> {
    const { program, args, logFile, pidFile, environment } = this.#spec;
    if (this.isRunning) throw new Error(`${this.name} runs already`);
    await endLeftOver(pidFile);
    const log = openSync(logFile, 'a', 0o600);
    // A process group of its own: Ctrl-C reaches the one who started it, who ends it. The channel tells our own programs
    // when that one is gone, by whatever death.
    const child = spawn(program, args, {
      detached: true,
      stdio: ['ignore', log, log, 'ipc'],
      env: { ...process.env, NODE_OPTIONS: '', ...environment },
    });
    closeSync(log);
    child.on('error', () => undefined);
    this.#child = child;
    if (child.pid !== undefined) await writeFile(pidFile, `${child.pid} ${startOf(child.pid)}\n`);
  }

  /** Waits until it is ready. @throws Error with the end of its log */
  async untilReady(): Promise<void> {
    const { isReady = async () => takesConnections(this.port) } = this.#spec;
    const end = performance.now() + START_MS;
    while (!(await isReady())) {
      if (!this.isRunning || performance.now() > end) {
        throw new Error(`${this.name} did not start: ${this.log.slice(-2000)}`);
      }
      await delay(LOOK_MS);
    }
  }

  /** Ends it in an orderly way, and by force when that takes too long. @returns its exit code */
  async stop(): Promise<number | null> {
    const patience = setTimeout(() => void this.kill(), STOP_MS);
    const code = await this.#end('SIGTERM');
    clearTimeout(patience);
    return code;
  }

  /** Ends it at once, as a power cut would. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** It stands still: its connections stay open, and nothing answers. */
  pause(): void {
    process.kill(this.pid, 'SIGSTOP');
  }

  /** It goes on. */
  resume(): void {
    process.kill(this.pid, 'SIGCONT');
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async #end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child;
    if (child === undefined) return null;
    if (this.isRunning) {
      const gone = once(child, 'exit');
      // One that stands still would not hear SIGTERM.
      process.kill(this.pid, 'SIGCONT');
      process.kill(this.pid, signal);
      await gone;
    }
    await rm(this.#spec.pidFile, { force: true });
    return child.exitCode;
  }
}

/** Ends the process that a former cluster in this directory left running, if it is still that one. */
async function endLeftOver(pidFile: string): Promise<void> {
  let pid: number;
  let begun: string;
  try {
    const [first = '', second = ''] = readFileSync(pidFile, 'utf8').trim().split(' ');
    [pid, begun] = [Number(first), second];
  } catch {
    return;
  }
  const isSame = (): boolean => begun !== '' && startOf(pid) === begun;
  if (isSame()) process.kill(pid, 'SIGKILL');
  while (isSame()) await delay(LOOK_MS);
  await rm(pidFile, { force: true });
}

/** When a process began, in ticks since the machine did; empty when it is gone. A pid alone may be another's by now. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' ? '' : (fields[18] ?? '');
  } catch {
    return '';
  }
}

async function takesConnections(port: number): Promise<boolean> {
  const socket = createConnection(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
