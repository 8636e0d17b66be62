import type { Raised } from './score-chart.js';

/** Intervals of a window; windows follow each other without overlap. */
const KOLMOGOROV_WINDOW = 16_384;

/**
 * The Kolmogorov-Smirnov distance between the intervals of a window and their law, at the bounds of the classes. By
 * the inequality of Dvoretzky, Kiefer, Wolfowitz and Massart it exceeds d with probability 2 exp(-2 n d^2) at most.
 */
export class KolmogorovWindow {
  readonly #model: Float64Array;
  readonly #intermittent: number;
  readonly #permanent: number;
  readonly #counts: Uint32Array;
  #observed = 0;

  /** @param bits minus log2 of the false alarms per window. */
  constructor(model: Float64Array, bits: { readonly intermittent: number; readonly permanent: number }) {
    const distance = (exponent: number): number =>
      Math.sqrt(((exponent + 1) * Math.LN2) / (2 * KOLMOGOROV_WINDOW));
    this.#model = model;
    this.#counts = new Uint32Array(model.length);
    this.#intermittent = distance(bits.intermittent);
    this.#permanent = distance(bits.permanent);
  }

  add(observed: number): Raised {
    this.#counts[observed]! += 1;
    this.#observed += 1;
    return this.#observed === KOLMOGOROV_WINDOW ? this.#judge() : undefined;
  }

  reset(): void {
    this.#counts.fill(0);
    this.#observed = 0;
  }

  #judge(): Raised {
    let [expected, seen, distance] = [0, 0, 0];
    for (let index = 0; index < this.#counts.length; index += 1) {
      expected += this.#model[index] ?? 0;
      seen += (this.#counts[index] ?? 0) / KOLMOGOROV_WINDOW;
      distance = Math.max(distance, Math.abs(expected - seen));
    }
    this.reset();
    if (distance > this.#permanent) return 'permanent';
    return distance > this.#intermittent ? 'intermittent' : undefined;
  }
}
