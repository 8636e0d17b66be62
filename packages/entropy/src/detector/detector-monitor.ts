import type { Alarm, HealthTest } from '../health/health-test.js';
import type { NoiseBlock } from '../source/noise-source.js';
import { AlarmNotes } from './alarm-notes.js';
import { CoincidenceChart } from './coincidence-chart.js';
import { DigitiserCheck } from './digitiser-check.js';
import { IntervalCharts } from './interval-charts.js';
import { checkSetup, darkRates, photonRates } from './parameters.js';
import type { DetectorSetup } from './parameters.js';
import { PathCharts } from './path-charts.js';
import { alarmScores } from './score-chart.js';
import { TagRepetition } from './tag-repetition.js';

/** Minus log2 of the false alarms per click: what all charts together may raise while nothing is wrong. */
export interface FalseAlarmBits {
  readonly intermittent: number;
  readonly permanent: number;
}

const FALSE_ALARMS: FalseAlarmBits = { intermittent: 30, permanent: 60 };
/** Samples after which a fault that takes the entropy below the claim has been seen: docs/entropy/detector.md. */
const SPAN = 131_072;

/**
 * Holds the clicks of a single-photon detector to its model: rate, dead time, afterpulses, law of the intervals,
 * coincidences, balance, correlation at lag 1, tags sent twice, and a digitiser that does not do what it has to. Each
 * chart is told the model in advance and learns nothing from the data. Names of the tests: docs/entropy/detector.md.
 *
 * Blocks follow each other without a gap; after one, such as a read that failed, the monitor is reset.
 */
export class DetectorMonitor implements HealthTest {
  readonly name = 'detector';
  readonly span = SPAN;
  readonly #digitiser: DigitiserCheck;
  /** Of the detectors that can click at all. */
  readonly #intervals: readonly [IntervalCharts | undefined, IntervalCharts | undefined];
  readonly #coincidences: CoincidenceChart | undefined;
  readonly #paths: PathCharts | undefined;
  readonly #repetition = new TagRepetition();
  #samples = 0;

  /** @throws DETECTOR_PARAMETERS */
  constructor(setup: DetectorSetup, bits: FalseAlarmBits = FALSE_ALARMS) {
    checkSetup(setup);
    const { parameters, digitisation } = setup;
    const scores = alarmScores(bits);
    const [photons, dark] = [photonRates(parameters), darkRates(parameters)];
    const clicks = (which: 0 | 1): boolean => photons[which] + dark[which] > 0;
    const charts = (which: 0 | 1): IntervalCharts | undefined =>
      clicks(which) ? new IntervalCharts(parameters, which, scores, bits) : undefined;
    this.#digitiser = new DigitiserCheck(setup);
    this.#intervals = [charts(0), charts(1)];
    if (clicks(0) && clicks(1)) {
      this.#coincidences = new CoincidenceChart(parameters, scores);
      if (digitisation.kind === 'beam-splitter' && digitisation.guardPs >= parameters.deadTimePs) {
        this.#paths = new PathCharts(parameters, digitisation.guardPs, scores);
      }
    }
  }

  /** A block without clicks is none of a detector's: a permanent alarm. */
  feed({ samples, clicks }: NoiseBlock): Alarm | undefined {
    const notes = new AlarmNotes(this.#samples);
    if (clicks === undefined) {
      notes.note('detector-clicks', 'permanent');
      this.#samples += samples.length;
      return notes.alarm;
    }
    let made = 0;
    for (let index = 0; index < clicks.intervals.length; index += 1) {
      const interval = clicks.intervals[index] ?? 0;
      const detector = clicks.detectors[index] === 1 ? 1 : 0;
      notes.sample = this.#samples + Math.min(made, samples.length - 1);
      this.#click(interval, detector, notes);
      if (!this.#digitiser.accepts(interval)) continue;
      const sample = samples[made++] ?? -1;
      if (!this.#digitiser.agrees(interval, detector, sample)) notes.note('detector-digitiser', 'permanent');
      this.#paths?.bit(detector, notes);
    }
    if (made !== samples.length) notes.note('detector-digitiser', 'permanent');
    this.#samples += samples.length;
    return notes.alarm;
  }

  reset(): void {
    for (const charts of this.#intervals) charts?.reset();
    this.#coincidences?.reset();
    this.#paths?.reset();
    this.#repetition.reset();
    this.#digitiser.reset();
    this.#samples = 0;
  }

  #click(interval: number, detector: 0 | 1, notes: AlarmNotes): void {
    const [first, second] = this.#intervals;
    first?.pass(interval);
    second?.pass(interval);
    const clicked = detector === 1 ? second : first;
    if (clicked === undefined) notes.note('detector-dark', 'permanent');
    else clicked.click(notes);
    this.#coincidences?.click(interval, detector, notes);
    notes.note('detector-repetition', this.#repetition.add(interval, detector));
  }
}
