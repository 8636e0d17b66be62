import type { Alarm } from '../health/health-test.js';
import type { Raised } from './score-chart.js';

/** The alarms of one block: the first permanent one, else the first intermittent one. */
export class AlarmNotes {
  /** The sample that is being tested. */
  sample: number;
  #alarm: Alarm | undefined;

  constructor(sample: number) {
    this.sample = sample;
  }

  get alarm(): Alarm | undefined {
    return this.#alarm;
  }

  note(test: string, level: Raised): void {
    if (level === undefined || this.#alarm?.level === 'permanent') return;
    if (this.#alarm !== undefined && level === 'intermittent') return;
    this.#alarm = { test, level, sample: Math.max(0, this.sample) };
  }
}
