/** How far behind the newest sequence number a message may arrive. */
export const REPLAY_WINDOW = 1024;

const BITS = 32;

/** SES-5: a sliding window over sequence numbers: each is accepted once, and none older than the window. */
export class ReplayWindow {
  readonly #seen = new Uint32Array(REPLAY_WINDOW / BITS);
  #newest = -1;

  /** Whether the number is new, without taking note of it. */
  accepts(seq: number): boolean {
    if (seq > this.#newest) return true;
    if (seq <= this.#newest - REPLAY_WINDOW) return false;
    return !this.#has(seq);
  }

  /** Takes note of a number whose message has verified. */
  mark(seq: number): void {
    if (seq > this.#newest) {
      const clear = Math.min(seq - this.#newest, REPLAY_WINDOW);
      for (let i = 1; i <= clear; i++) this.#set(seq - clear + i, false);
      this.#newest = seq;
    }
    this.#set(seq, true);
  }

  #has(seq: number): boolean {
    const slot = seq % REPLAY_WINDOW;
    return (((this.#seen[Math.floor(slot / BITS)] as number) >>> (slot % BITS)) & 1) === 1;
  }

  #set(seq: number, value: boolean): void {
    const slot = seq % REPLAY_WINDOW;
    const word = Math.floor(slot / BITS);
    const bit = 1 << (slot % BITS);
    const old = this.#seen[word] as number;
    this.#seen[word] = value ? old | bit : old & ~bit;
  }
}
