import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { SymmetraError } from '@symmetra/crypto';
import { FrameReader } from './click-frame.js';
import type { ClickFrame } from './click-frame.js';
import type { DetectorOrder } from './detector-order.js';

const PROGRAM = fileURLToPath(new URL('../../bin/detector.mjs', import.meta.url));

/** One life of the detector's process. It gets nothing of this process's environment. */
export class DetectorProcess {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #frames = new FrameReader();
  readonly #exited: Promise<void>;

  /** @param program the path of another program that keeps to the same form; for tests. */
  constructor(order: DetectorOrder, program = PROGRAM) {
    this.#child = spawn(process.execPath, [program], { env: {}, stdio: ['pipe', 'pipe', 'ignore'] });
    this.#exited = once(this.#child, 'close').then(
      () => undefined,
      () => undefined,
    );
    this.#child.on('error', () => undefined);
    this.#child.stdin.on('error', () => undefined);
    this.#child.stdin.write(`${JSON.stringify(order)}\n`);
    this.#chunks = this.#child.stdout[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  }

  /**
   * The next frame. One call at a time.
   * @throws SOURCE_BAD_PAYLOAD; SOURCE_SHORT_READ when the process ends of itself within a frame, SOURCE_UNREACHABLE
   *   when it dies or was not to be started.
   */
  async next(): Promise<ClickFrame> {
    for (;;) {
      const frame = this.#frames.next();
      if (frame !== undefined) return frame;
      const chunk = await this.#chunks.next().catch(() => ({ done: true as const, value: undefined }));
      if (chunk.done === true) throw await this.#end();
      this.#frames.push(chunk.value);
    }
  }

  /** Kills the process and waits until it is gone. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    this.#child.stdin.destroy();
    this.#child.stdout.destroy();
    await this.#exited;
  }

  async #end(): Promise<SymmetraError> {
    await this.#exited;
    const { exitCode, signalCode } = this.#child;
    if (exitCode === 0 && this.#frames.inFrame) {
      return new SymmetraError('SOURCE_SHORT_READ', 'the detector stopped in the middle of a frame');
    }
    return new SymmetraError('SOURCE_UNREACHABLE', "the detector's process is gone", {
      exit: exitCode ?? signalCode ?? 'not started',
    });
  }
}
