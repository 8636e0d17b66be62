// Runs `symmetra` commands as child processes and ends them for sure. Node built-ins only.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { root } from './setup.mjs';

const program = join(root, 'packages', 'cli', 'bin', 'symmetra.mjs');

/** Milliseconds that a child has to end by itself before it is killed. */
const GRACE_MS = 8000;

/** @typedef {Record<string, unknown> & { event?: string }} Report one JSON object of a command */
/**
 * @typedef {object} Running
 * @property {(event: string, matches?: (report: Report) => boolean) => Promise<Report>} report
 *   waits for a report of that event; rejected when the child ends before
 * @property {Promise<number | null>} ended its exit code
 * @property {() => Promise<void>} stop ends it, by force when it does not end by itself
 */

/** A command that was refused or failed, by its own account. */
export class CommandFailure extends Error {
  /**
   * @param {string} code stable, for example PORT_IN_USE
   * @param {string} message
   */
  constructor(code, message) {
    super(`${code}: ${message}`);
    this.code = code;
  }
}

/** The children of one run, in the order in which they were started. */
export class Programs {
  /** @type {Running[]} */
  #running = [];
  #stopping = false;

  /**
   * Starts a command that stays up.
   * @param {readonly string[]} args
   * @returns {Running}
   */
  start(args) {
    return this.#spawn(args, undefined);
  }

  /**
   * Runs a command to its end.
   * @param {readonly string[]} args
   * @param {string} [input] for its standard input
   * @returns {Promise<Report>} what it printed
   * @throws {CommandFailure}
   */
  async run(args, input) {
    const child = this.#spawn(args, input);
    const report = await child.report('');
    await child.ended;
    return report;
  }

  /** Ends every child, the youngest first. */
  async stop() {
    this.#stopping = true;
    for (const child of this.#running.toReversed()) await child.stop();
  }

  /**
   * @param {readonly string[]} args
   * @param {string | undefined} input
   * @returns {Running}
   */
  #spawn(args, input) {
    if (this.#stopping) throw new CommandFailure('STOPPED', 'everything is being ended');
    // A process group of its own: Ctrl-C reaches this process alone, which ends its children in order. The channel
    // tells a child when this process is gone, by whatever death.
    const child = spawn(process.execPath, [program, ...args, '--json'], {
      cwd: root,
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe', 'ipc'],
    });
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input ?? '');

    /** @type {Report[]} */
    const reports = [];
    /** @type {Set<() => void>} */
    const waiting = new Set();
    let ended = false;
    /** @type {CommandFailure | undefined} */
    let failure;
    const tell = () => {
      for (const check of waiting) check();
    };
    if (child.stdout) {
      createInterface({ input: child.stdout }).on('line', (line) => {
        reports.push(parse(line) ?? {});
        tell();
      });
    }
    if (child.stderr) {
      createInterface({ input: child.stderr }).on('line', (line) => {
        failure = failureIn(line) ?? failure;
      });
    }

    const early = new CommandFailure('ENDED', `symmetra ${args.slice(0, 2).join(' ')} ended early`);
    /** @type {Running} */
    const running = {
      ended: new Promise((resolve) => {
        child.once('error', () => undefined);
        child.once('close', (code) => {
          ended = true;
          this.#running = this.#running.filter((one) => one !== running);
          tell();
          resolve(code);
        });
      }),
      report: (event, matches = () => true) =>
        new Promise((resolve, reject) => {
          const check = () => {
            const found = reports.find((one) => (event === '' || one.event === event) && matches(one));
            if (found === undefined && !ended) return;
            waiting.delete(check);
            if (found === undefined) reject(failure ?? early);
            else resolve(found);
          };
          waiting.add(check);
          check();
        }),
      async stop() {
        if (ended) return;
        child.kill('SIGTERM');
        const force = setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
        await running.ended;
        clearTimeout(force);
      },
    };
    this.#running.push(running);
    return running;
  }
}

/**
 * @param {string} line
 * @returns {Report | undefined}
 */
function parse(line) {
  try {
    const value = /** @type {unknown} */ (JSON.parse(line));
    return typeof value === 'object' && value !== null ? /** @type {Report} */ (value) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * @param {string} line
 * @returns {CommandFailure | undefined}
 */
function failureIn(line) {
  const { error } = /** @type {{ error?: { code: string, message: string } }} */ (parse(line) ?? {});
  return error === undefined ? undefined : new CommandFailure(error.code, error.message);
}
