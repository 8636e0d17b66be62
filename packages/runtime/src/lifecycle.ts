import { SymmetraError } from '@symmetra/crypto';
import type { Clock } from './clock.js';
import type { Logger } from './logging.js';

/** Ends one part of a program. */
export type Closer = () => Promise<void> | void;

/** How a program ended. */
export interface StopReport {
  /** Parts whose closer failed, in the order in which they did. */
  readonly failed: readonly string[];
  /** Parts that were not ended by the deadline. */
  readonly unfinished: readonly string[];
}

export interface LifecycleOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Milliseconds that stopping may take in all. */
  readonly deadlineMs: number;
}

interface Part {
  readonly name: string;
  readonly close: Closer;
}

/**
 * The parts of a running program, ended once and in the reverse order of their registration. A
 * closer that fails holds up nothing; one that hangs does so until the deadline.
 */
export class Lifecycle {
  /** Fulfilled when everything has ended, or the deadline has passed. Never rejected. */
  readonly stopped: Promise<StopReport>;
  readonly #options: LifecycleOptions;
  readonly #parts: Part[] = [];
  readonly #finish: (report: StopReport) => void;
  #stopping = false;

  constructor(options: LifecycleOptions) {
    this.#options = options;
    let finish: (report: StopReport) => void = () => undefined;
    this.stopped = new Promise((resolve) => {
      finish = resolve;
    });
    this.#finish = finish;
  }

  /** True from the first call of {@link Lifecycle.stop} on. */
  get stopping(): boolean {
    return this.#stopping;
  }

  /** @throws STOPPING: the caller must end the part by itself. */
  register(name: string, close: Closer): void {
    if (this.#stopping) {
      throw new SymmetraError('STOPPING', 'the program is stopping already', { part: name });
    }
    this.#parts.push({ name, close });
  }

  /** Ends everything. Later calls return the same promise. */
  stop(): Promise<StopReport> {
    if (!this.#stopping) {
      this.#stopping = true;
      void this.#closeAll();
    }
    return this.stopped;
  }

  async #closeAll(): Promise<void> {
    const { clock, logger, deadlineMs } = this.#options;
    const failed: string[] = [];
    const deadline = clock.setTimer(deadlineMs, () => {
      const unfinished = this.#parts.map(({ name }) => name).toReversed();
      logger.error({ count: unfinished.length }, 'Stopping took too long.');
      this.#finish({ failed: [...failed], unfinished });
    });
    for (let part = this.#parts.at(-1); part !== undefined; part = this.#parts.at(-1)) {
      try {
        await part.close();
      } catch (error) {
        failed.push(part.name);
        logger.error({ component: part.name, err: error }, 'A part did not end cleanly.');
      }
      this.#parts.pop();
    }
    deadline.cancel();
    this.#finish({ failed, unfinished: [] });
  }
}

const SIGNALS = { SIGINT: 2, SIGTERM: 15 } as const;

/** The part of a process that signals come from. */
export interface SignalledProcess {
  on(signal: NodeJS.Signals, listener: () => void): unknown;
  off(signal: NodeJS.Signals, listener: () => void): unknown;
  exit(code: number): void;
}

/**
 * For the main function of a program, and for nothing else: SIGINT and SIGTERM stop the lifecycle,
 * and a second signal ends the process at once with 128 plus its number.
 * @returns what removes the handlers again.
 */
export function stopOnSignals(lifecycle: Lifecycle, program: SignalledProcess = process): () => void {
  const removers = Object.entries(SIGNALS).map(([name, number]) => {
    const signal = name as keyof typeof SIGNALS;
    const listener = (): void => {
      if (lifecycle.stopping) program.exit(128 + number);
      else void lifecycle.stop();
    };
    program.on(signal, listener);
    return () => program.off(signal, listener);
  });
  return () => {
    for (const remove of removers) remove();
  };
}
