const MAX_HELD = 256;
const HELD_MS = 10_000;

interface EarlyMessage {
  readonly name: string;
  readonly message: Uint8Array;
  /** Monotonic milliseconds. */
  readonly untilMs: number;
}

/** Group messages that overtook the epoch that they are sealed under: a sender may hold it a moment before. */
export class EarlyMessages {
  readonly #monotonic: () => number;
  #held: readonly EarlyMessage[] = [];

  constructor(monotonic: () => number) {
    this.#monotonic = monotonic;
  }

  hold(name: string, message: Uint8Array): void {
    const now = this.#monotonic();
    const fresh = this.#held.filter(({ untilMs }) => untilMs > now);
    this.#held = [...fresh, { name, message, untilMs: now + HELD_MS }].slice(-MAX_HELD);
  }

  /** The messages of a group that may be opened now, in their order. */
  take(name: string): readonly Uint8Array[] {
    const now = this.#monotonic();
    const own = this.#held.filter((one) => one.name === name && one.untilMs > now);
    this.#held = this.#held.filter((one) => one.name !== name);
    return own.map(({ message }) => message);
  }
}
