import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const program = fileURLToPath(new URL('../../packages/cli/bin/symmetra.mjs', import.meta.url));
const START_LIMIT_MS = 60_000;

/** The embedded network of `symmetra up`, as a process of its own, in a folder of its own. */
export class BenchNetwork {
  readonly folder: string;
  readonly nodesPerProcess = 3;
  readonly #child: ChildProcess;

  private constructor(folder: string, child: ChildProcess) {
    this.folder = folder;
    this.#child = child;
  }

  static async start(): Promise<BenchNetwork> {
    const folder = mkdtempSync(join(tmpdir(), 'symmetra-bench-'));
    const args = [program, 'up', '--data', join(folder, 'network'), '--port', '0', '--json'];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    await firstLine(child);
    return new BenchNetwork(folder, child);
  }

  /** All nodes share it. */
  get pids(): readonly number[] {
    return [this.pid];
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error('the network did not start');
    return this.#child.pid;
  }

  async token(): Promise<string> {
    const args = [program, 'token', 'create', '--data', join(this.folder, 'network'), '--json'];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    return (JSON.parse(stdout) as { token: string }).token;
  }

  async end(): Promise<void> {
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await gone;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Waits for the line by which `up` says that it serves. */
function firstLine(child: ChildProcess): Promise<void> {
  if (child.stdout === null) throw new Error('the network has no output');
  const lines = createInterface({ input: child.stdout });
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('the network did not start in time')), START_LIMIT_MS);
    child.once('exit', (code) => reject(new Error(`the network ended with exit code ${code}`)));
    lines.once('line', () => {
      clearTimeout(late);
      resolve();
    });
  });
}
