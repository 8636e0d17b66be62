import type { Clock } from '@symmetra/runtime';
import type { Output } from './output.js';

const WIDTH = 30;
/** Milliseconds before anything is told: what is done sooner needs no progress. */
const PATIENCE_MS = 3000;
/** Milliseconds between two sentences, where no bar can move. */
const SENTENCE_MS = 10_000;

/**
 * How far a long command is: a bar that moves on a terminal, a sentence now and then elsewhere, nothing for programs
 * that read JSON, and nothing for what is done at once. One serves all stages of a command.
 */
export class Progress {
  readonly #output: Output;
  readonly #clock: Clock;
  #quietUntil: number;
  #shown = false;

  constructor(output: Output, clock: Clock) {
    this.#output = output;
    this.#clock = clock;
    this.#quietUntil = clock.monotonic() + PATIENCE_MS;
  }

  /** `done` of `total` steps of a stage are done; `name` says what is going on. */
  step(name: string, done: number, total: number): void {
    const now = this.#clock.monotonic();
    if (now < this.#quietUntil) return;
    const percent = `${Math.floor((100 * done) / total)} %`;
    if (this.#output.watched) {
      const filled = Math.floor((WIDTH * done) / total);
      this.#output.moving(
        `[${'#'.repeat(filled)}${'.'.repeat(WIDTH - filled)}] ${percent.padStart(5)}  ${name}`,
      );
      this.#shown = true;
    } else {
      this.#output.progress(`${percent} done: ${name}`);
      this.#quietUntil = now + SENTENCE_MS;
    }
  }

  /** Takes the bar away, until the next step. */
  end(): void {
    if (this.#shown) this.#output.moving('');
    this.#shown = false;
  }
}
