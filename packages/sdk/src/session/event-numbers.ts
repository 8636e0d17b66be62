/** More numbers ahead of a gap than this are not remembered one by one. */
const MAX_AHEAD = 4096;

/** SES-6: the numbers of the events of one session, by which a missing one is found out. */
export class EventNumbers {
  /** Everything up to here has come, or was made up for. */
  #complete = 0;
  /** The highest number that was seen or heard of. */
  #highest = 0;
  readonly #ahead = new Set<number>();

  /** Number of the last event before the first gap. */
  get complete(): number {
    return this.#complete;
  }

  /** The highest number that the device knows of. */
  get highest(): number {
    return this.#highest;
  }

  /** Whether an event is missing. */
  get hasGap(): boolean {
    return this.#highest > this.#complete;
  }

  /** An event has come. */
  saw(number: number): void {
    this.#highest = Math.max(this.#highest, number);
    if (number > this.#complete && this.#ahead.size < MAX_AHEAD) this.#ahead.add(number);
    this.#advance();
  }

  /** The node says that it sent events up to this number. */
  heardOf(number: number): void {
    this.#highest = Math.max(this.#highest, number);
  }

  /** The node was asked again after event `highest` was known, and sends what matters under new numbers. */
  madeUpFor(highest: number): void {
    this.#complete = Math.max(this.#complete, highest);
    for (const number of this.#ahead) if (number <= this.#complete) this.#ahead.delete(number);
    this.#advance();
  }

  #advance(): void {
    while (this.#ahead.delete(this.#complete + 1)) this.#complete += 1;
  }
}
