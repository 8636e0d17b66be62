import type { Clock, Logger, Timer } from '@symmetra/runtime';

/** What a loss of is not noticed by processes that start later, unless another one was told of it. */
const LAG_MS = 1000;

/** Writes down again and again how far the store has come, so that a process that starts later notices a loss. */
export class MarkKeeper {
  readonly #keep: () => Promise<void>;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #timer: Timer | undefined;
  #keeping: Promise<void> = Promise.resolve();
  #failing = false;
  #stopped = false;

  constructor(keep: () => Promise<void>, clock: Clock, logger: Logger) {
    this.#keep = keep;
    this.#clock = clock;
    this.#logger = logger;
    this.#again();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#keeping;
  }

  #again(): void {
    this.#timer = this.#clock.setTimer(LAG_MS, () => {
      this.#keeping = this.#round().finally(() => {
        if (!this.#stopped) this.#again();
      });
    });
  }

  async #round(): Promise<void> {
    try {
      await this.#keep();
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) this.#logger.warn({ err: error }, 'How far the store has come could not be noted.');
      this.#failing = true;
    }
  }
}
