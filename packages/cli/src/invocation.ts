import { Lifecycle } from '@symmetra/runtime';
import type { Clock, Closer, Logger } from '@symmetra/runtime';
import type { Output } from './output.js';

/** Milliseconds that the parts of a command may take to end. */
const STOP_DEADLINE_MS = 5000;

/** Standard input; asked for by the commands that read it, for a pipe is opened with that. */
export type InputSource = () => AsyncIterable<unknown>;

/** One run of one command: what it reads and says, what it must end, and when it is told to. */
export class Invocation {
  readonly output: Output;
  readonly clock: Clock;
  readonly input: InputSource;
  readonly #lifecycle: Lifecycle;
  readonly #interrupted: Promise<void>;
  #interrupt: () => void = () => undefined;
  #staysUp = false;

  constructor(output: Output, clock: Clock, logger: Logger, input: InputSource = () => process.stdin) {
    this.output = output;
    this.clock = clock;
    this.input = input;
    this.#lifecycle = new Lifecycle({ clock, logger, deadlineMs: STOP_DEADLINE_MS });
    this.#interrupted = new Promise((resolve) => {
      this.#interrupt = resolve;
    });
  }

  /** True for a command that runs until it is told to end: its interruption is its success. */
  get staysUp(): boolean {
    return this.#staysUp;
  }

  /** Registers what is to be ended with the command, last come first served. @throws STOPPING */
  onEnd(part: string, close: Closer): void {
    this.#lifecycle.register(part, close);
  }

  /** Fulfilled when a signal asks the command to end. Only commands that stay up wait for it. */
  async untilInterrupted(): Promise<void> {
    this.#staysUp = true;
    await this.#interrupted;
  }

  /** Asks the command to end. */
  interrupt(): void {
    this.#interrupt();
  }

  /** Ends every part; bounded in time. @returns the parts that did not end. */
  async end(): Promise<readonly string[]> {
    const { failed, unfinished } = await this.#lifecycle.stop();
    return [...failed, ...unfinished];
  }
}
