/** LINK-8: how often something may happen: so many at once, and so many a second in the long run. */
interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** LINK-8: what is left of a rate. */
export class Allowance {
  readonly #rate: Rate;
  #left: number;
  #at = Number.NEGATIVE_INFINITY;

  constructor(rate: Rate) {
    this.#rate = rate;
    this.#left = rate.burst;
  }

  /** Whether nothing is remembered here any more that counts. */
  isFull(now: number): boolean {
    return this.#leftAt(now) >= this.#rate.burst;
  }

  /** Counts one, if it is allowed at `now`, milliseconds on a clock that never goes back. */
  take(now: number): boolean {
    this.#left = this.#leftAt(now);
    this.#at = now;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }

  #leftAt(now: number): number {
    return Math.min(this.#rate.burst, this.#left + ((now - this.#at) / 1000) * this.#rate.perSecond);
  }
}

/** What is left of the rates of many, by name. */
export class Allowances {
  readonly #byName = new Map<string, Allowance>();

  /** Counts one of that name, if it is allowed at `now`. */
  take(name: string, rate: Rate, now: number): boolean {
    let allowance = this.#byName.get(name);
    if (allowance === undefined) {
      allowance = new Allowance(rate);
      this.#byName.set(name, allowance);
    }
    return allowance.take(now);
  }

  /** Forgets those of which nothing is remembered that counts. */
  sweep(now: number): void {
    for (const [name, allowance] of this.#byName) if (allowance.isFull(now)) this.#byName.delete(name);
  }
}
