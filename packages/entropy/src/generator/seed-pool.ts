import { wipe } from '@symmetra/crypto';
import { SEED_ENTROPY_BITS, condition } from '../extract/conditioner.js';
import type { ConditionerPart } from '../extract/conditioner.js';
import type { RandomBytes } from '../source.js';
import type { SeedSupply } from '../source/seed-supply.js';
import type { Reservoir } from './reservoir.js';

/** What the operating system adds to every seed; it is not credited. */
const OS_BYTES = 32;

/**
 * Makes a seed when one is asked for, of all sources together (SP 800-90C, 3.1): the least occupied source that may
 * serve, physical or not, carries the credited entropy, every other qualified one that has something to spare and the
 * operating system add theirs uncredited. Any one good input suffices.
 */
export class SeedPool implements SeedSupply {
  readonly #reservoirs: readonly Reservoir[];
  readonly #os: RandomBytes;
  #creditedBits = 0;
  #simulatedBits = 0;
  #settingAside = false;

  constructor(reservoirs: readonly Reservoir[], os: RandomBytes) {
    this.#reservoirs = reservoirs;
    this.#os = os;
  }

  get available(): number {
    return this.#reservoirs.reduce((sum, { seeds }) => sum + seeds, 0);
  }

  /** Credited bits that have gone into seeds. */
  get creditedBits(): number {
    return this.#creditedBits;
  }

  /** Those of them that rest on a simulated source: a program computed them. */
  get simulatedBits(): number {
    return this.#simulatedBits;
  }

  /** Whether a source is left that seeds may rest on, now or once it has more. */
  get serves(): boolean {
    return this.#reservoirs.some(({ serves }) => serves);
  }

  take(): Uint8Array | undefined {
    const serving = this.#leastOccupied();
    if (serving === undefined) return undefined;
    const parts: ConditionerPart[] = [];
    let bits = 0;
    while (bits < SEED_ENTROPY_BITS) {
      const bytes = serving.takePiece();
      if (bytes === undefined) break;
      parts.push({ source: serving.source.description.name, bytes, entropyBits: serving.pieceBits });
      bits += serving.pieceBits;
    }
    for (const other of this.#reservoirs) {
      const bytes = other === serving || !other.qualified ? undefined : other.takeContribution();
      if (bytes !== undefined) parts.push({ source: other.source.description.name, bytes, entropyBits: 0 });
    }
    parts.push({ source: 'os', bytes: this.#os(OS_BYTES), entropyBits: 0 });
    this.#setAsideLater();
    try {
      const seed = condition(parts);
      this.#creditedBits += bits;
      if (serving.source.description.simulated) this.#simulatedBits += bits;
      return seed;
    } finally {
      wipe(...parts.map(({ bytes }) => bytes));
    }
  }

  /** The serving source with the most tested entropy that nobody has taken. */
  #leastOccupied(): Reservoir | undefined {
    const [first] = this.#reservoirs
      .filter(({ seeds }) => seeds > 0)
      .toSorted((one, other) => other.seeds - one.seeds);
    return first;
  }

  /** Not at once: within one call of a tier, what was available stays available. */
  #setAsideLater(): void {
    if (this.#settingAside) return;
    this.#settingAside = true;
    queueMicrotask(() => {
      this.#settingAside = false;
      for (const reservoir of this.#reservoirs) reservoir.setAside();
    });
  }
}
