import { igamc } from '@symmetra/battery';
import { SymmetraError } from '@symmetra/crypto';

const DEFAULT_BUFFERS = 1000;
const DEFAULT_SIGNIFICANCE = 0.01;
const BINS = 10;
/** Fewer p-values say nothing about their uniformity (SP 800-22, 4.2.2). */
const LEAST_FOR_UNIFORMITY = 55;
const LEAST_UNIFORMITY = 0.0001;

export interface RollingAggregateOptions {
  /** The tests whose p-values are looked at; good data must have them uniform. */
  readonly tests: readonly string[];
  /** How many buffers the rolling window has; 1,000 unless told otherwise, at least 55. */
  readonly buffers?: number;
  /** The level at which a p-value counts as passed; 0.01 unless told otherwise. */
  readonly significance?: number;
}

/** What the p-values of one test over the last buffers look like together (SP 800-22, 4.2). */
export interface Aggregate {
  /** How many p-values are in the window. */
  readonly count: number;
  /** The share of them that is not below the level. */
  readonly proportion: number;
  /** The least share of `count` good ones: three standard deviations below the expected one (4.2.1). */
  readonly leastProportion: number;
  /** P-value of the chi-square over ten bins (4.2.2); absent below 55 p-values. */
  readonly uniformity?: number;
  /** Whether the share is high enough and the uniformity, where there is one, at least 0.0001. */
  readonly passed: boolean;
}

/**
 * Proportion and uniformity of p-values over the last buffers: what no single buffer shows. Each value is judged at
 * the levels of SP 800-22, 4.2, so that of good data about one look in 700 fails for the proportion of a test and one
 * in 10,000 for its uniformity: an alarm to look after, no ground to throw buffers away.
 */
export class RollingAggregate {
  readonly #buffers: number;
  readonly #significance: number;
  readonly #series = new Map<string, number[]>();

  /** @throws GATE_BAD_ARGUMENT */
  constructor({
    tests,
    buffers = DEFAULT_BUFFERS,
    significance = DEFAULT_SIGNIFICANCE,
  }: RollingAggregateOptions) {
    if (
      !Number.isSafeInteger(buffers) ||
      buffers < LEAST_FOR_UNIFORMITY ||
      !(significance > 0 && significance < 1)
    ) {
      throw new SymmetraError('GATE_BAD_ARGUMENT', 'an aggregate can not have this window or this level', {
        buffers,
        significance,
      });
    }
    this.#buffers = buffers;
    this.#significance = significance;
    for (const test of tests) this.#series.set(test, []);
  }

  /** Adds what the tests of one buffer gave; the oldest buffer leaves a full window. Other tests are passed over. */
  add(pValues: Readonly<Record<string, number>>): void {
    for (const [test, series] of this.#series) {
      const p = pValues[test];
      if (p === undefined) continue;
      series.push(p);
      if (series.length > this.#buffers) series.shift();
    }
  }

  /** What the window holds now, by test. */
  get aggregates(): Readonly<Record<string, Aggregate>> {
    return Object.fromEntries([...this.#series].map(([test, series]) => [test, this.#aggregateOf(series)]));
  }

  #aggregateOf(series: readonly number[]): Aggregate {
    const count = series.length;
    if (count === 0) return { count, proportion: 1, leastProportion: 0, passed: true };
    const expected = 1 - this.#significance;
    const proportion = series.filter((p) => p >= this.#significance).length / count;
    const leastProportion = Math.max(0, expected - 3 * Math.sqrt((expected * this.#significance) / count));
    const enough = proportion >= leastProportion;
    if (count < LEAST_FOR_UNIFORMITY) return { count, proportion, leastProportion, passed: enough };
    const uniformity = uniformityOf(series);
    const passed = enough && uniformity >= LEAST_UNIFORMITY;
    return { count, proportion, leastProportion, uniformity, passed };
  }
}

function uniformityOf(series: readonly number[]): number {
  const bins = Array.from({ length: BINS }, () => 0);
  for (const p of series) {
    const bin = Math.min(BINS - 1, Math.floor(p * BINS));
    bins[bin] = (bins[bin] ?? 0) + 1;
  }
  const expected = series.length / BINS;
  const chiSquare = bins.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  return igamc((BINS - 1) / 2, chiSquare / 2);
}
