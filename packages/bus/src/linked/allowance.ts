/** LINK-8: how often something may happen: so many at once, and so many a second in the long run. */
export class Allowance {
  readonly #burst: number;
  readonly #perSecond: number;
  #left: number;
  #at = Number.NEGATIVE_INFINITY;

  constructor(perSecond: number, burst: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#left = burst;
  }

  /** Whether it may happen now, which is `now` milliseconds on a clock that never goes back; does not count it. */
  allows(now: number): boolean {
    const grown = ((now - this.#at) / 1000) * this.#perSecond;
    this.#left = Math.min(this.#burst, this.#left + grown);
    this.#at = now;
    return this.#left >= 1;
  }

  /** It happens: to be called when it is allowed. */
  take(): void {
    this.#left -= 1;
  }
}
