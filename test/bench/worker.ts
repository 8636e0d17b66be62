import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A process of the bench that answers requests over the IPC channel, one at a time. */
export class Worker {
  readonly #child: ChildProcess;

  /** @param nodeFlags of the runtime, for example --expose-gc */
  constructor(script: string, nodeFlags: readonly string[] = []) {
    const path = fileURLToPath(new URL(script, import.meta.url));
    this.#child = fork(path, {
      execArgv: ['--import', 'tsx', ...nodeFlags],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error('a bench process did not start');
    return this.#child.pid;
  }

  /** Sends a request and waits for its answer. */
  ask<Answer>(request: object): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const ended = (): void => reject(new Error('a bench process ended early'));
      this.#child.once('exit', ended);
      this.#child.once('message', (answer: { value?: Answer; error?: string }) => {
        this.#child.off('exit', ended);
        if (answer.error === undefined) resolve(answer.value as Answer);
        else reject(new Error(answer.error));
      });
      this.#child.send(request);
    });
  }

  /** Ends the process and waits until it is gone. */
  async end(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await gone;
  }
}

/** In the worker: answers each request with what `handle` gives. */
export function serve<Request>(handle: (request: Request) => Promise<unknown>): void {
  process.on('message', (request: Request) => {
    handle(request).then(
      (value) => process.send?.({ value }),
      (error: unknown) => process.send?.({ error: String(error) }),
    );
  });
  process.on('disconnect', () => process.exit(0));
}
