/** Counts what really happened over many simulated runs, so that a test can ask for everything that it is about. */
export class Occurrences {
  readonly #counts = new Map<string, number>();

  note(what: string): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
  }

  count(what: string): number {
    return this.#counts.get(what) ?? 0;
  }

  /** Those of the given names that never happened. */
  missing(names: readonly string[]): readonly string[] {
    return names.filter((name) => this.count(name) === 0);
  }

  /** Everything that was noted, by name. */
  all(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#counts].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }
}
