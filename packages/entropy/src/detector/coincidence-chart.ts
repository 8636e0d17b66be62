import type { AlarmNotes } from './alarm-notes.js';
import { PS_PER_SECOND, darkRates, lateAfterpulses, photonRates } from './parameters.js';
import type { DetectorParameters } from './parameters.js';
import { ScoreChart, scoreTable } from './score-chart.js';
import type { AlarmScores } from './score-chart.js';

/** Clicks of both detectors within this part of the dead time are a coincidence. */
const WINDOW_PART = 1 / 8;
const JITTER_MARGIN = 9 * Math.SQRT2;
/** The alternative: so many times the coincidences, and this many more. */
const FACTOR = 3;
const EXTRA = 0.01;

/**
 * Coincidences: single photons take one way, and two of them meet only by chance. More of them are bright pulses, or a
 * clock that couples into both detectors. The model's figure is an upper bound, whatever came before.
 */
export class CoincidenceChart {
  readonly #chart: ScoreChart;
  readonly #ticks: number;
  #last = -1;

  constructor(parameters: DetectorParameters, scores: AlarmScores) {
    const { deadTimePs, tickPs, jitterPs, afterpulseTauPs } = parameters;
    const [photons, dark] = [photonRates(parameters), darkRates(parameters)];
    this.#ticks = Math.floor((deadTimePs * WINDOW_PART) / tickPs);
    const alive = Math.max(photons[0] + dark[0], photons[1] + dark[1]) / PS_PER_SECOND;
    const hazard = alive + lateAfterpulses(parameters) / afterpulseTauPs;
    const span = (this.#ticks + 1) * tickPs + JITTER_MARGIN * jitterPs;
    const chance = Math.min(0.9, 1 - Math.exp(-hazard * span));
    const other = Math.min(0.99, FACTOR * chance + EXTRA);
    const table = scoreTable([1 - chance, chance], [1 - other, other]);
    this.#chart = new ScoreChart('detector-coincidence', table, scores);
  }

  /** The next click of either detector. */
  click(interval: number, detector: number, notes: AlarmNotes): void {
    const together = detector !== this.#last && this.#last >= 0 && interval <= this.#ticks;
    notes.note(this.#chart.test, this.#chart.add(together ? 1 : 0));
    this.#last = detector;
  }

  reset(): void {
    this.#chart.reset();
    this.#last = -1;
  }
}
