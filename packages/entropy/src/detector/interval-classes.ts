import { GAUSSIAN_QUANTILES } from './gaussian.js';
import type { IntervalLaw } from './interval-law.js';
import type { DetectorParameters } from './parameters.js';

const MOST_CELLS = 65_536;
/** Points at which the first tag's place within its tick, and the jitter, are averaged over. */
const NODES = 16;

/**
 * Classes of the interval between two clicks of one detector as the tagger reports it: fine behind the dead time, finer
 * than the decay of afterpulses over five of its means, then in parts of the mean wait.
 */
export class IntervalClasses {
  readonly #origin: number;
  readonly #shift: number;
  readonly #cells: Uint8Array;
  /** The first tick of each class but class 0, which begins at nothing. */
  readonly #bounds: readonly number[];

  constructor(parameters: DetectorParameters, law: IntervalLaw) {
    const { tickPs, deadTimePs, afterpulseTauPs } = parameters;
    const meanWait = 1 / law.rate;
    const offsets = [
      ...multiples(deadTimePs / 16, 16),
      ...multiples(afterpulseTauPs / 2, 10),
      ...multiples(meanWait / 8, 32),
      ...multiples(meanWait, 12),
    ].map((offset) => Math.round(offset / tickPs));
    const last = Math.max(...offsets);
    this.#origin = Math.floor(deadTimePs / tickPs);
    this.#shift = Math.max(0, Math.ceil(Math.log2((last + 1) / MOST_CELLS)));
    const starts = [...new Set(offsets.map((offset) => Math.floor(offset / 2 ** this.#shift)))]
      .filter((cell) => cell > 0)
      .toSorted((first, second) => first - second);
    this.#bounds = starts.map((cell) => this.#origin + cell * 2 ** this.#shift);
    this.#cells = new Uint8Array((starts.at(-1) ?? 0) + 1);
    starts.forEach((cell, index) => this.#cells.fill(index + 1, cell));
  }

  get count(): number {
    return this.#bounds.length + 1;
  }

  /** The class of an interval in ticks. */
  of(interval: number): number {
    const past = interval - this.#origin;
    if (past <= 0) return 0;
    const cell = Math.floor(past / 2 ** this.#shift);
    return this.#cells[cell < this.#cells.length ? cell : this.#cells.length - 1] ?? 0;
  }

  /** The probability of each class under a law, the clock and the jitter of both tags included. */
  probabilities(law: IntervalLaw, { tickPs, jitterPs }: DetectorParameters): Float64Array {
    const survival = [1, ...this.#bounds.map((bound) => reported(bound)), 0];
    return Float64Array.from(
      { length: this.count },
      (_, index) => (survival[index] ?? 0) - (survival[index + 1] ?? 0),
    );

    /** The probability that the tagger reports at least so many ticks. */
    function reported(ticks: number): number {
      let sum = 0;
      for (let place = 0; place < NODES; place += 1) {
        for (let node = 0; node < NODES; node += 1) {
          const quantile =
            GAUSSIAN_QUANTILES[Math.floor(((node + 0.5) / NODES) * GAUSSIAN_QUANTILES.length)] ?? 0;
          sum += law.survival((ticks - (place + 0.5) / NODES) * tickPs + Math.SQRT2 * jitterPs * quantile);
        }
      }
      return sum / NODES ** 2;
    }
  }
}

function multiples(step: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => (index + 1) * step);
}
