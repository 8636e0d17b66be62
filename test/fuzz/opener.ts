import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** A directory to open. */
export interface OpenOrder {
  readonly kind: 'device' | 'network';
  readonly path: string;
  readonly passphrase?: string;
}

/** Milliseconds after which an opening counts as hanging. */
const PATIENCE_MS = 20_000;
const PROGRAM = fileURLToPath(new URL('opener-process.ts', import.meta.url));

/** Opens directories in a process of its own, which is replaced when it dies. */
export class Opener {
  #child: ChildProcess | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /**
   * What comes of an opening: `opened`, the code of a named error, or how it broke. One after the other: a property that
   * is interrupted leaves its last one under way, whose answer is nobody else's.
   */
  async open(order: OpenOrder): Promise<string> {
    const turn = this.#last.then(async () => this.#open(order));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #open(order: OpenOrder): Promise<string> {
    this.#child ??= await start();
    const child = this.#child;
    const outcome = answerOf(child);
    child.send(order);
    const told = await outcome;
    if (told.isOver) await this.#end();
    return told.text;
  }

  async stop(): Promise<void> {
    await this.#last;
    await this.#end();
  }

  async #end(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    await new Promise((resolve) => {
      child.once('exit', resolve);
      child.kill('SIGKILL');
    });
  }
}

async function start(): Promise<ChildProcess> {
  const child = fork(PROGRAM, {
    execArgv: ['--conditions=@symmetra/source', '--import', 'tsx'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const { text } = await answerOf(child);
  if (text === 'ready') return child;
  throw new Error(`the process that opens directories did not begin: ${text}`);
}

/** The next message of the process, or how it ended. */
async function answerOf(child: ChildProcess): Promise<{ readonly text: string; readonly isOver: boolean }> {
  return new Promise((resolve) => {
    const end = (text: string, isOver: boolean): void => {
      clearTimeout(timer);
      child.off('message', onMessage).off('exit', onExit);
      resolve({ text, isOver });
    };
    const onMessage = (message: unknown): void => end(String(message), false);
    const onExit = (code: number | null, signal: string | null): void => {
      end(`the process died: ${signal ?? code}`, true);
    };
    const timer = setTimeout(() => end('the process hangs', true), PATIENCE_MS);
    child.on('message', onMessage).on('exit', onExit);
  });
}
