import { Worker } from 'node:worker_threads';
import { SymmetraError } from '@symmetra/crypto';
import type { BatteryJob, BatteryProgress, BatteryResults } from './battery-job.js';
import type { BatteryAnswer, BatteryOrder } from './battery-messages.js';

const PROGRAM = new URL('../../bin/battery-worker.mjs', import.meta.url);
const DEFAULT_WAITING = 8;

/** How a thread of batteries is set up. */
export interface BatteryThreadOptions {
  /** How many jobs may wait behind the one that runs; 8 unless told otherwise. */
  readonly waiting?: number;
  /** The program of the thread, for tests of its death. */
  readonly program?: URL;
}

/** A job that waits or runs. */
interface Entry extends BatteryOrder {
  readonly onProgress: (progress: BatteryProgress) => void;
  readonly resolve: (result: BatteryResults[keyof BatteryResults]) => void;
  readonly reject: (error: SymmetraError) => void;
}

/**
 * Runs batteries that take long in one worker thread, one after the other, so that whoever serves entropy is not
 * held up. Bytes that are handed in are taken over: they are copied, the originals erased at once and the copy when
 * the job ends, however it ends. They must never be served.
 *
 * A thread that dies fails its job with AUDIT_WORKER_LOST; the next job gets a new one.
 */
export class BatteryThread {
  readonly #capacity: number;
  readonly #program: URL;
  readonly #queue: Entry[] = [];
  #running: Entry | undefined;
  #worker: Worker | undefined;
  #closed = false;

  constructor({ waiting = DEFAULT_WAITING, program = PROGRAM }: BatteryThreadOptions = {}) {
    this.#capacity = waiting;
    this.#program = program;
  }

  /** How many jobs can still be handed in now. */
  get room(): number {
    if (this.#closed) return 0;
    return this.#capacity - this.#queue.length + (this.#running === undefined ? 1 : 0);
  }

  /**
   * Runs a battery over `bytes`, which are zeros afterwards, also when the job is refused.
   * @throws AUDIT_BUSY when too many jobs wait, AUDIT_WORKER_LOST, AUDIT_CLOSED, and what the battery throws.
   */
  async run<Job extends BatteryJob>(
    job: Job,
    bytes: Uint8Array,
    onProgress: (progress: BatteryProgress) => void = () => undefined,
  ): Promise<BatteryResults[Job['battery']]> {
    if (this.room === 0) {
      bytes.fill(0);
      if (this.#closed) throw closedError();
      throw new SymmetraError('AUDIT_BUSY', 'too many batteries wait for the thread already', {
        waiting: this.#queue.length,
      });
    }
    const copy = new Uint8Array(new SharedArrayBuffer(bytes.length));
    copy.set(bytes);
    bytes.fill(0);
    const result = await new Promise<BatteryResults[keyof BatteryResults]>((resolve, reject) => {
      this.#queue.push({ job, bytes: copy, onProgress, resolve, reject });
      this.#startNext();
    });
    return result as BatteryResults[Job['battery']];
  }

  /** Ends the thread. Jobs that wait or run fail with AUDIT_CLOSED. Never rejected; may be called twice. */
  async close(): Promise<void> {
    this.#closed = true;
    const [worker, entries] = [this.#worker, [this.#running, ...this.#queue.splice(0)]];
    this.#worker = undefined;
    this.#running = undefined;
    await worker?.terminate();
    for (const entry of entries) {
      entry?.bytes.fill(0);
      entry?.reject(closedError());
    }
  }

  #startNext(): void {
    if (this.#running !== undefined) return;
    this.#running = this.#queue.shift();
    if (this.#running === undefined) return;
    this.#worker ??= this.#startWorker();
    const { job, bytes }: BatteryOrder = this.#running;
    this.#worker.postMessage({ job, bytes }, []);
  }

  #startWorker(): Worker {
    const worker = new Worker(this.#program, { execArgv: [] });
    let cause: unknown;
    worker.on('message', (answer: BatteryAnswer) => this.#onAnswer(answer));
    worker.on('error', (error) => {
      cause = error;
    });
    worker.on('exit', (exitCode) => {
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      const details = { exitCode, reason: cause instanceof Error ? cause.name : 'none' };
      this.#finish((entry) =>
        entry.reject(
          new SymmetraError('AUDIT_WORKER_LOST', 'the thread of the battery died', details, { cause }),
        ),
      );
    });
    return worker;
  }

  #onAnswer(answer: BatteryAnswer): void {
    switch (answer.kind) {
      case 'progress':
        this.#running?.onProgress(answer.progress);
        return;
      case 'done':
        this.#finish((entry) => entry.resolve(answer.result));
        return;
      case 'failed': {
        const { code, message, details } = answer.failure;
        this.#finish((entry) => entry.reject(new SymmetraError(code, message, details)));
      }
    }
  }

  /** Ends the job that runs and begins the next one. */
  #finish(settle: (entry: Entry) => void): void {
    const entry = this.#running;
    this.#running = undefined;
    if (entry === undefined) return;
    entry.bytes.fill(0);
    settle(entry);
    this.#startNext();
  }
}

function closedError(): SymmetraError {
  return new SymmetraError('AUDIT_CLOSED', 'the thread of the batteries is closed');
}
