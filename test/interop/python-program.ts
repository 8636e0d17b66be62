import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** Milliseconds after which a report that did not come is given up, so that a hanging test says why. */
const PATIENCE_MS = 30_000;
const CANDIDATES = ['python3', '/usr/bin/python3'];
const scripts = fileURLToPath(new URL('python', import.meta.url));
const vectors = fileURLToPath(new URL('../vectors', import.meta.url));

/** One JSON object that the device printed. */
export type Report = Readonly<Record<string, unknown>>;

/** The first Python here that has grpc and cryptography; undefined where none has. */
export function findPython(): string | undefined {
  return CANDIDATES.find((name) => spawnSync(name, ['-c', 'import grpc, cryptography']).status === 0);
}

/** Lets the device check its primitives and steps against the vectors. @returns how many values it compared */
export function checkVectors(python: string): number {
  const run = spawnSync(python, ['-B', join(scripts, 'vectors.py'), vectors], { encoding: 'utf8' });
  if (run.status !== 0) throw new Error(`the vectors do not fit: ${run.stderr}`);
  return (JSON.parse(run.stdout) as { checked: number }).checked;
}

/** The device in Python: commands go in as lines of JSON, reports come out as such. */
export class PythonDevice {
  readonly #child: ChildProcess;
  readonly #waiting = new Set<() => void>();
  readonly #ended: Promise<void>;
  readonly #reports: Report[] = [];
  #stderr = '';
  #isOver = false;

  constructor(python: string, state: string) {
    this.#child = spawn(python, ['-B', join(scripts, 'program.py'), state], { stdio: 'pipe' });
    const { stdin, stdout, stderr } = this.#child;
    stdin?.on('error', () => undefined);
    stderr?.on('data', (chunk: Buffer) => {
      this.#stderr += chunk.toString();
    });
    if (stdout !== null) {
      createInterface({ input: stdout }).on('line', (line) => {
        this.#reports.push(JSON.parse(line) as Report);
        this.#wake();
      });
    }
    this.#ended = new Promise((resolve) => {
      this.#child.once('close', () => {
        this.#isOver = true;
        this.#wake();
        resolve();
      });
    });
  }

  /** What it reported until now. */
  get reports(): readonly Report[] {
    return this.#reports;
  }

  /** Carries out a command. @throws Error when it fails */
  async command(name: string, values: Readonly<Record<string, unknown>> = {}): Promise<Report> {
    const before = this.#reports.length;
    this.#child.stdin?.write(`${JSON.stringify({ do: name, ...values })}\n`);
    const answer = await this.#report(
      (report) => report['done'] === name || report['failed'] === name,
      before,
    );
    if (answer['failed'] === name) throw new Error(`${name}: ${JSON.stringify(answer)}`);
    return answer;
  }

  /** The event of a name that matches, once it is there. */
  async event(name: string, matches: (report: Report) => boolean): Promise<Report> {
    return this.#report((report) => report['event'] === name && matches(report), 0);
  }

  /** Ends its input and waits for its end. @returns what it wrote to standard error */
  async end(): Promise<string> {
    this.#child.stdin?.end();
    const patience = setTimeout(() => this.#child.kill('SIGKILL'), PATIENCE_MS);
    await this.#ended;
    clearTimeout(patience);
    return this.#stderr;
  }

  async #report(matches: (report: Report) => boolean, from: number): Promise<Report> {
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void): void => {
        clearTimeout(patience);
        this.#waiting.delete(check);
        settle();
      };
      const check = (): void => {
        const found = this.#reports.slice(from).find(matches);
        if (found !== undefined) finish(() => resolve(found));
        else if (this.#isOver) finish(() => reject(this.#never()));
      };
      const patience = setTimeout(() => finish(() => reject(this.#never())), PATIENCE_MS);
      this.#waiting.add(check);
      check();
    });
  }

  #never(): Error {
    return new Error(`the report never came: ${JSON.stringify(this.#reports)}\n${this.#stderr}`);
  }

  #wake(): void {
    for (const check of this.#waiting) check();
  }
}
