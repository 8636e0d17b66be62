/** Stages of devices, in bounded memory: what was used longest ago is forgotten. */
export class StandingCache {
  readonly #stages = new Map<string, string>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(deviceHex: string): string | undefined {
    return this.#stages.get(deviceHex);
  }

  /** Takes note of a stage that is stored. */
  set(deviceHex: string, stage: string): void {
    this.#stages.delete(deviceHex);
    this.#stages.set(deviceHex, stage);
    if (this.#stages.size <= this.#limit) return;
    for (const oldest of this.#stages.keys()) {
      this.#stages.delete(oldest);
      return;
    }
  }
}
