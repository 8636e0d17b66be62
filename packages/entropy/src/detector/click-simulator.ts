import { GAUSSIAN_QUANTILES } from './gaussian.js';
import type { DetectorState, Fault } from './fault.js';
import { nextChange, stateAt } from './fault.js';
import { Keystream } from './keystream.js';
import { LONGEST_INTERVAL, PS_PER_SECOND, darkRates, lateAfterpulses, photonRates } from './parameters.js';
import type { DetectorParameters } from './parameters.js';
import { TagReplay } from './tag-replay.js';

/** Of a random word, the low bits choose the jitter and the others decide on the afterpulse. */
const JITTER_BITS = 12;
const JITTER_MASK = (1 << JITTER_BITS) - 1;
const AFTERPULSE_SCALE = 2 ** (32 - JITTER_BITS);
/** Tags are counted anew after so many ticks, so that doubles hold parts of a picosecond. */
const REBASE_TICKS = 2 ** 31;

/** One detector between two clicks. All times are picoseconds since the last rebase. */
interface Diode {
  /** When it lives again after its last avalanche. */
  alive: number;
  /** The avalanche to come; Infinity when none will. */
  time: number;
  /** Its tag, in ticks. */
  tag: number;
  meanWait: number;
}

/**
 * Clicks of two single-photon detectors. Photons and dark counts are one Poisson process for each detector; after an
 * avalanche the detector is dead for a time that further photons do not prolong; a carrier that stays trapped beyond
 * it makes an afterpulse unless a photon comes first. Both waits are memoryless, so each begins when the detector
 * lives again. Tags carry Gaussian jitter and are cut to the clock. Source: docs/entropy/detector.md.
 */
export class ClickSimulator {
  readonly #parameters: DetectorParameters;
  readonly #faults: readonly Fault[];
  readonly #keystream: Keystream;
  readonly #diodes: readonly [Diode, Diode] = [diode(), diode()];
  readonly #replay: TagReplay;
  #state: DetectorState;
  #late = 0;
  #pulseOrigin = 0;
  #lastTag = 0;
  #click: number;
  #change: number;

  /**
   * @param seed 32 bytes, lent.
   * @param firstClick how many clicks of the source's life are over; the faults are counted from its birth.
   * @throws DETECTOR_SEED
   */
  constructor(parameters: DetectorParameters, faults: readonly Fault[], seed: Uint8Array, firstClick = 0) {
    this.#parameters = parameters;
    this.#faults = faults;
    this.#keystream = new Keystream(seed);
    this.#replay = new TagReplay(faults);
    this.#click = firstClick;
    this.#change = nextChange(faults, firstClick);
    this.#state = stateAt(parameters, faults, firstClick);
    this.#settle();
  }

  /** How many clicks the source has made in its life. */
  get click(): number {
    return this.#click;
  }

  /**
   * Makes the next clicks.
   * @returns how many: all that there is room for, fewer only when the detectors will never click again.
   */
  make(intervals: Uint32Array, detectors: Uint8Array): number {
    let made = 0;
    while (made < intervals.length) {
      const end = made + Math.min(intervals.length - made, this.#change - this.#click);
      const reached = this.#state.replay === undefined ? this.#observe(intervals, detectors, made, end) : end;
      if (this.#state.replay === undefined) this.#replay.keep(intervals, detectors, made, reached);
      else this.#replay.repeat(intervals, detectors, made, end, this.#state.replay);
      this.#click += reached - made;
      if (reached < end) return reached;
      made = end;
      if (this.#click === this.#change) this.#turn();
    }
    return made;
  }

  #observe(intervals: Uint32Array, detectors: Uint8Array, from: number, end: number): number {
    const [first, second] = this.#diodes;
    for (let index = from; index < end; index += 1) {
      const which = second.tag < first.tag ? 1 : 0;
      const clicked = which === 1 ? second : first;
      if (clicked.time === Infinity) return index;
      const interval = clicked.tag - this.#lastTag;
      intervals[index] = interval > LONGEST_INTERVAL ? LONGEST_INTERVAL : interval;
      detectors[index] = which;
      this.#lastTag = clicked.tag;
      clicked.alive = clicked.time + this.#state.parameters.deadTimePs;
      this.#await(clicked, clicked.alive, this.#late);
      if (this.#lastTag > REBASE_TICKS) this.#rebase();
    }
    return end;
  }

  /** Draws the avalanche that follows, waiting from a time at which the detector lives. */
  #await(target: Diode, from: number, late: number): void {
    const { afterpulseTauPs, jitterPs, tickPs } = this.#state.parameters;
    const word = this.#keystream.word();
    let wait = target.meanWait * this.#keystream.exponential();
    if (word >>> JITTER_BITS < late) wait = Math.min(wait, afterpulseTauPs * this.#keystream.exponential());
    if (this.#state.interference !== undefined && wait < Infinity) {
      wait = Math.min(wait, this.#nextPulse(from) - from);
    }
    target.time = from + wait;
    const jitter = jitterPs * (GAUSSIAN_QUANTILES[word & JITTER_MASK] ?? 0);
    target.tag = Math.max(this.#lastTag, Math.floor((target.time + jitter) / tickPs));
  }

  /** When the clock that couples in makes a live detector click. */
  #nextPulse(from: number): number {
    const { periodPs, probability } = this.#state.interference ?? { periodPs: Infinity, probability: 0 };
    if (!(probability > 0)) return Infinity;
    const missed =
      probability >= 1 ? 0 : Math.floor(this.#keystream.exponential() / -Math.log1p(-probability));
    const periods = Math.ceil((from - this.#pulseOrigin) / periodPs) + missed;
    return this.#pulseOrigin + periods * periodPs;
  }

  #turn(): void {
    this.#state = stateAt(this.#parameters, this.#faults, this.#click);
    this.#change = nextChange(this.#faults, this.#click);
    this.#settle();
  }

  /** Lets the waits begin anew under the state that holds now; being memoryless, they lose nothing by it. */
  #settle(): void {
    const { parameters } = this.#state;
    const [photons, dark] = [photonRates(parameters), darkRates(parameters)];
    const now = this.#lastTag * parameters.tickPs;
    this.#late = lateAfterpulses(parameters) * AFTERPULSE_SCALE;
    for (const which of [0, 1] as const) {
      const target = this.#diodes[which];
      const rate = photons[which] + dark[which];
      target.meanWait = rate > 0 ? PS_PER_SECOND / rate : Infinity;
      this.#await(target, Math.max(target.alive, now), 0);
    }
  }

  #rebase(): void {
    const ticks = this.#lastTag;
    const shift = ticks * this.#state.parameters.tickPs;
    for (const target of this.#diodes) {
      target.alive -= shift;
      target.time -= shift;
      target.tag -= ticks;
    }
    this.#lastTag = 0;
    const period = this.#state.interference?.periodPs;
    this.#pulseOrigin = period === undefined ? 0 : (this.#pulseOrigin - shift) % period;
  }
}

function diode(): Diode {
  return { alive: 0, time: Infinity, tag: Infinity, meanWait: Infinity };
}
