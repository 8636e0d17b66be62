import type { AlarmNotes } from './alarm-notes.js';
import { lagTable } from './interval-charts.js';
import { darkRates, lateAfterpulses, photonRates } from './parameters.js';
import type { DetectorParameters } from './parameters.js';
import { ScoreChart, scoreTable } from './score-chart.js';
import type { AlarmScores } from './score-chart.js';

/** Shifts of the probability of a 1 that charts watch for. */
const SHIFTS = [-0.15, -0.025, 0.025, 0.15];
const CORRELATIONS = [-0.05, 0.05];
const LEAST = 1e-3;

/**
 * What the bits of a beam splitter show: the balance of its detectors, and whether a bit depends on the one before.
 * With a guard time that covers the dead time the bits are independent but for a residue of afterpulses.
 */
export class PathCharts {
  readonly #charts: readonly ScoreChart[];
  #last = -1;

  constructor(parameters: DetectorParameters, guardPs: number, scores: AlarmScores) {
    const [photons, dark] = [photonRates(parameters), darkRates(parameters)];
    const [zero, one] = [photons[0] + dark[0], photons[1] + dark[1]];
    const share = one / (zero + one);
    const { deadTimePs, afterpulseTauPs } = parameters;
    const residue = lateAfterpulses(parameters) * Math.exp(-(guardPs - deadTimePs) / afterpulseTauPs);
    const pair = (shift: number): number[] =>
      [0, 1].flatMap((before) => {
        const shifted = Math.min(1 - LEAST, Math.max(LEAST, share + shift));
        const probability = shifted + residue * (before - shifted);
        return [1 - probability, probability];
      });
    this.#charts = [
      ...SHIFTS.map((shift) => new ScoreChart('detector-balance', scoreTable(pair(0), pair(shift)), scores)),
      ...CORRELATIONS.map(
        (correlation) =>
          new ScoreChart('detector-autocorrelation', lagTable(share, correlation, residue), scores),
      ),
    ];
  }

  /** The next bit, which is the detector of an accepted click. */
  bit(bit: number, notes: AlarmNotes): void {
    if (this.#last >= 0) {
      for (const chart of this.#charts) notes.note(chart.test, chart.add(2 * this.#last + bit));
    }
    this.#last = bit;
  }

  reset(): void {
    for (const chart of this.#charts) chart.reset();
    this.#last = -1;
  }
}
