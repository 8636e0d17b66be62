import { equalConstantTime } from '@symmetra/crypto';
import { CALM, corrupt } from './faults.js';
import type { Faults } from './faults.js';
import type { Occurrences } from './occurrences.js';
import type { Prng } from './prng.js';

/** A message on its way. */
export interface Parcel {
  readonly from: string;
  readonly to: string;
  readonly frame: Uint8Array;
  /** Whether the network changed the bytes. */
  readonly altered: boolean;
}

/** Hands a parcel over after a number of ticks. */
export type Deliver = (delay: number, parcel: Parcel) => void;

/** The network of a simulation: it loses, repeats, delays, reorders and damages messages, or does none of it. */
export class SimulatedNetwork {
  #faults: Faults;
  readonly #prng: Prng;
  readonly #occurrences: Occurrences;
  readonly #deliver: Deliver;
  #latest: Uint8Array = new Uint8Array(1);

  constructor(prng: Prng, faults: Faults, occurrences: Occurrences, deliver: Deliver) {
    this.#prng = prng;
    this.#faults = faults;
    this.#occurrences = occurrences;
    this.#deliver = deliver;
  }

  /** From now on every message arrives, once and unchanged. */
  calm(): void {
    this.#faults = CALM;
  }

  transmit(from: string, to: string, frame: Uint8Array): void {
    const { loss, repetition } = this.#faults;
    const copies = this.#prng.chance(repetition) ? this.#prng.between(2, 3) : 1;
    if (copies > 1) this.#occurrences.note('fault:repeated');
    for (let i = 0; i < copies; i++) {
      if (this.#prng.chance(loss)) this.#occurrences.note('fault:lost');
      else this.#deliver(this.#delay(), this.#damaged(from, to, frame));
    }
    this.#latest = frame;
  }

  #delay(): number {
    if (!this.#prng.chance(this.#faults.delay)) return 1;
    this.#occurrences.note('fault:delayed');
    return this.#prng.between(2, this.#faults.longestDelay);
  }

  #damaged(from: string, to: string, frame: Uint8Array): Parcel {
    if (!this.#prng.chance(this.#faults.corruption)) {
      return { from, to, frame: frame.slice(), altered: false };
    }
    const damage = corrupt(this.#prng, frame, this.#latest);
    // A splice of two messages that differ in one field can give the other one, whole.
    const altered = ![frame, this.#latest].some((whole) => equalConstantTime(damage.frame, whole));
    if (altered) this.#occurrences.note(`fault:${damage.kind}`);
    return { from, to, frame: damage.frame, altered };
  }
}
