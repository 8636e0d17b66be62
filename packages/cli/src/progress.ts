import type { Clock } from '@symmetra/runtime';
import type { Output } from './output.js';

const WIDTH = 30;
/** Milliseconds before anything is told, and between two sentences where no bar can move. */
const PATIENCE_MS = 3000;

/**
 * How far a long command is: a bar that moves on a terminal, a sentence now and then elsewhere, nothing for programs
 * that read JSON, and nothing for what is done at once.
 */
export class Progress {
  readonly #output: Output;
  readonly #clock: Clock;
  #told: number;
  #shown = false;

  constructor(output: Output, clock: Clock) {
    this.#output = output;
    this.#clock = clock;
    this.#told = clock.monotonic();
  }

  /** `done` of `total` steps are done, the last of them `name`. */
  step(name: string, done: number, total: number): void {
    const now = this.#clock.monotonic();
    if (!this.#shown && now - this.#told < PATIENCE_MS) return;
    const percent = `${Math.floor((100 * done) / total)} %`;
    if (this.#output.watched) {
      const filled = Math.floor((WIDTH * done) / total);
      this.#output.moving(
        `[${'#'.repeat(filled)}${'.'.repeat(WIDTH - filled)}] ${percent.padStart(5)}  ${name}`,
      );
      this.#shown = true;
    } else if (now - this.#told >= PATIENCE_MS) {
      this.#output.progress(`${percent} done: ${name}`);
      this.#told = now;
    }
  }

  /** Takes the bar away. */
  end(): void {
    if (this.#shown) this.#output.moving('');
    this.#shown = false;
  }
}
