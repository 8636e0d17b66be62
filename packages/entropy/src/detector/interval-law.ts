import { PS_PER_SECOND, darkRates, lateAfterpulses, photonRates } from './parameters.js';
import type { DetectorParameters } from './parameters.js';

/**
 * The law of the interval between two clicks of one detector: the dead time, then the shorter of an exponential wait
 * for a photon or dark count and, with the probability that a carrier is still trapped, an exponential wait for it.
 * Such intervals are independent. Times in picoseconds.
 */
export class IntervalLaw {
  readonly deadTimePs: number;
  /** Photons and dark counts per picosecond of a live detector. */
  readonly rate: number;
  readonly #late: number;
  readonly #tauPs: number;

  constructor(parameters: DetectorParameters, which: 0 | 1) {
    this.deadTimePs = parameters.deadTimePs;
    this.rate = (photonRates(parameters)[which] + darkRates(parameters)[which]) / PS_PER_SECOND;
    this.#late = lateAfterpulses(parameters);
    this.#tauPs = parameters.afterpulseTauPs;
  }

  /** The mean interval; infinite for a detector that never clicks. */
  get meanPs(): number {
    if (this.rate === 0) return Infinity;
    return this.deadTimePs + (1 - this.#late) / this.rate + this.#late / (this.rate + 1 / this.#tauPs);
  }

  /** How many clicks in one are afterpulses. */
  get afterpulses(): number {
    return this.#late / (1 + this.rate * this.#tauPs);
  }

  /** The probability of an interval longer than this. */
  survival(intervalPs: number): number {
    const wait = Math.max(0, intervalPs - this.deadTimePs);
    return Math.exp(-wait * this.rate) * (1 - this.#late + this.#late * Math.exp(-wait / this.#tauPs));
  }
}
