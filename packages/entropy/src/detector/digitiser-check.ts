import { guardTicks } from './digitiser.js';
import type { DetectorSetup } from './parameters.js';

/** Whether samples are what the digitiser has to make of the clicks; it says nothing about chance. */
export class DigitiserCheck {
  readonly #guard: number;
  /** Ticks of a bin, and how many bins; undefined for a beam splitter. */
  readonly #bins: { readonly ticks: number; readonly count: number } | undefined;
  #last = -1;

  constructor({ parameters, digitisation }: DetectorSetup) {
    const paths = digitisation.kind === 'beam-splitter';
    this.#guard = paths ? guardTicks(digitisation.guardPs, parameters.tickPs) : 0;
    this.#bins = paths
      ? undefined
      : { ticks: digitisation.binPs / parameters.tickPs, count: digitisation.bins };
  }

  /** Whether a click makes a sample. */
  accepts(interval: number): boolean {
    return interval >= this.#guard;
  }

  /** Whether this sample may come of an accepted click. */
  agrees(interval: number, detector: number, sample: number): boolean {
    if (this.#bins === undefined) return sample === detector;
    const { ticks, count } = this.#bins;
    const last = this.#last;
    this.#last = sample;
    if (sample >= count) return false;
    if (last < 0) return true;
    const least = Math.floor((interval % (ticks * count)) / ticks);
    const step = (sample - last + count) % count;
    return step === least || step === (least + 1) % count;
  }

  reset(): void {
    this.#last = -1;
  }
}
