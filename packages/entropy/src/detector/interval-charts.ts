import type { AlarmNotes } from './alarm-notes.js';
import { IntervalClasses } from './interval-classes.js';
import { IntervalLaw } from './interval-law.js';
import { KolmogorovWindow } from './kolmogorov-window.js';
import type { DetectorParameters } from './parameters.js';
import { ScoreChart, scoreTable } from './score-chart.js';
import type { AlarmScores } from './score-chart.js';

/** Rates that charts watch for, in parts of the model's: a drift early, a collapse within a few clicks. */
const RATES = [0.7, 0.96, 1.04, 1.3];
const DEAD_TIMES = [0.8, 1.1, 1.25];
/** So much more probable afterpulses. */
const AFTERPULSE_RISE = 0.05;
/** How strongly consecutive intervals are alike, or unlike, in the charts' alternatives. */
const CORRELATIONS = [-0.06, 0.06];
/** Standard deviations of one tag's jitter that no interval falls short of the dead time by: 2^-62 of them would. */
const JITTER_MARGIN = 9 * Math.SQRT2;

/** What the intervals between the clicks of one detector show. They are independent, and their law is known. */
export class IntervalCharts {
  readonly #classes: IntervalClasses;
  readonly #charts: readonly ScoreChart[];
  readonly #lagCharts: readonly ScoreChart[];
  readonly #window: KolmogorovWindow;
  /** The first class of the longer half. */
  readonly #middle: number;
  readonly #floor: number;
  /** Ticks since the last click; undefined before the first. */
  #elapsed: number | undefined;
  #last = -1;

  constructor(
    parameters: DetectorParameters,
    which: 0 | 1,
    scores: AlarmScores,
    bits: { readonly intermittent: number; readonly permanent: number },
  ) {
    const law = new IntervalLaw(parameters, which);
    const classes = new IntervalClasses(parameters, law);
    const model = classes.probabilities(law, parameters);
    const chart = (test: string, change: Partial<DetectorParameters>): ScoreChart => {
      const changed = { ...parameters, ...change };
      const other = classes.probabilities(new IntervalLaw(changed, which), changed);
      return new ScoreChart(test, scoreTable(model, other), scores);
    };
    this.#classes = classes;
    this.#charts = [
      ...RATES.map((rate) => chart('detector-rate', scaled(parameters, rate))),
      ...DEAD_TIMES.map((factor) =>
        chart('detector-dead-time', { deadTimePs: parameters.deadTimePs * factor }),
      ),
      chart('detector-afterpulse', {
        afterpulseProbability: parameters.afterpulseProbability + AFTERPULSE_RISE,
      }),
    ];
    const cumulated = [...model].map((_, index) =>
      model.subarray(0, index).reduce((sum, part) => sum + part, 0),
    );
    this.#middle = cumulated.findIndex((below) => below >= 0.5);
    const long = 1 - (cumulated[this.#middle] ?? 0.5);
    this.#lagCharts = CORRELATIONS.map(
      (correlation) => new ScoreChart('detector-autocorrelation', lagTable(long, correlation), scores),
    );
    this.#window = new KolmogorovWindow(model, bits);
    const margin = JITTER_MARGIN * parameters.jitterPs;
    this.#floor = Math.floor((parameters.deadTimePs - margin) / parameters.tickPs) - 1;
  }

  /** Time passes without a click of this detector. */
  pass(ticks: number): void {
    if (this.#elapsed !== undefined) this.#elapsed += ticks;
  }

  /** The detector clicks; the time since the last click of any has passed already. */
  click(notes: AlarmNotes): void {
    const interval = this.#elapsed;
    this.#elapsed = 0;
    if (interval === undefined) return;
    if (interval < this.#floor) notes.note('detector-dead-time', 'permanent');
    const observed = this.#classes.of(interval);
    for (const chart of this.#charts) notes.note(chart.test, chart.add(observed));
    const long = observed >= this.#middle ? 1 : 0;
    if (this.#last >= 0) {
      for (const chart of this.#lagCharts) notes.note(chart.test, chart.add(2 * this.#last + long));
    }
    this.#last = long;
    notes.note('detector-interval', this.#window.add(observed));
  }

  reset(): void {
    for (const chart of [...this.#charts, ...this.#lagCharts]) chart.reset();
    this.#window.reset();
    this.#elapsed = undefined;
    this.#last = -1;
  }
}

function scaled({ photonRate, darkRate }: DetectorParameters, factor: number): Partial<DetectorParameters> {
  return { photonRate: photonRate * factor, darkRate: [darkRate[0] * factor, darkRate[1] * factor] };
}

/**
 * The table of a chart over two values, found at `2 * before + now`, that watches for a correlation at lag 1.
 * @param one the probability of value 1.
 */
export function lagTable(one: number, correlation: number, base = 0): Float64Array {
  const pair = (strength: number): number[] =>
    [0, 1].flatMap((before) => {
      const probability = one + strength * (before - one);
      return [1 - probability, probability];
    });
  return scoreTable(pair(base), pair(base + correlation));
}
