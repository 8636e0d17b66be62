import { nextChange, stateAt } from './fault.js';
import type { Fault } from './fault.js';
import type { DetectorParameters, DetectorSetup, Digitisation } from './parameters.js';

/** Turns clicks into samples, in order. A `stuck-bit` is the one fault that it can have. */
export class Digitiser {
  readonly #parameters: DetectorParameters;
  readonly #digitisation: Digitisation;
  readonly #stuckBits: readonly Fault[];
  #click: number;
  #change: number;
  #and = 0xff;
  #or = 0;
  /** Ticks since the external clock began its round. */
  #phase = 0;
  #written = 0;

  /** @param firstClick how many clicks of the source's life are over. */
  constructor({ parameters, digitisation }: DetectorSetup, faults: readonly Fault[], firstClick = 0) {
    this.#parameters = parameters;
    this.#digitisation = digitisation;
    this.#stuckBits = faults.filter(({ kind }) => kind === 'stuck-bit');
    this.#click = firstClick;
    this.#change = firstClick;
  }

  /** How many samples the last call wrote. */
  get written(): number {
    return this.#written;
  }

  /** How many clicks of the source's life are over. */
  get click(): number {
    return this.#click;
  }

  /**
   * Writes the samples of the next clicks until the samples are full.
   * @returns how many clicks it used; `written` says how many samples came of them.
   */
  digitise(intervals: Uint32Array, detectors: Uint8Array, samples: Uint8Array): number {
    this.#written = 0;
    let used = 0;
    while (used < intervals.length && this.#written < samples.length) {
      if (this.#click >= this.#change) this.#turn();
      const end = Math.min(intervals.length, used + this.#change - this.#click);
      const reached = this.#part(intervals, detectors, used, end, samples);
      this.#click += reached - used;
      used = reached;
    }
    return used;
  }

  #part(
    intervals: Uint32Array,
    detectors: Uint8Array,
    from: number,
    end: number,
    samples: Uint8Array,
  ): number {
    const { tickPs } = this.#parameters;
    let [index, written] = [from, this.#written];
    if (this.#digitisation.kind === 'beam-splitter') {
      const guard = guardTicks(this.#digitisation.guardPs, tickPs);
      for (; index < end && written < samples.length; index += 1) {
        if ((intervals[index] ?? 0) < guard) continue;
        samples[written++] = ((detectors[index] ?? 0) & this.#and) | this.#or;
      }
    } else {
      const ticks = this.#digitisation.binPs / tickPs;
      const round = ticks * this.#digitisation.bins;
      for (; index < end && written < samples.length; index += 1) {
        this.#phase = (this.#phase + (intervals[index] ?? 0)) % round;
        samples[written++] = (Math.floor(this.#phase / ticks) & this.#and) | this.#or;
      }
    }
    this.#written = written;
    return index;
  }

  #turn(): void {
    this.#change = nextChange(this.#stuckBits, this.#click);
    [this.#and, this.#or] = [0xff, 0];
    for (const { bit, value } of stateAt(this.#parameters, this.#stuckBits, this.#click).stuck) {
      this.#and &= ~(1 << bit);
      this.#or |= value << bit;
    }
  }
}

/** The shortest interval, in ticks, that is surely as long as the guard time. */
export function guardTicks(guardPs: number, tickPs: number): number {
  return guardPs === 0 ? 0 : Math.ceil(guardPs / tickPs) + 1;
}
