import type { Fault } from './fault.js';

/** The buffer of a firmware that may send old tags again: it holds as many as the longest such fault repeats. */
export class TagReplay {
  readonly #size: number;
  readonly #intervals: Uint32Array;
  readonly #detectors: Uint8Array;
  /** How many tags were ever kept. */
  #kept = 0;
  /** How many were sent again since the last that was kept. */
  #sent = 0;

  constructor(faults: readonly Fault[]) {
    const lengths = faults.map((fault) => (fault.kind === 'replay' ? fault.length : 0));
    this.#size = Math.max(0, ...lengths);
    this.#intervals = new Uint32Array(this.#size);
    this.#detectors = new Uint8Array(this.#size);
  }

  /** Remembers tags that go out for the first time. */
  keep(intervals: Uint32Array, detectors: Uint8Array, from: number, end: number): void {
    for (let index = Math.max(from, end - this.#size); index < end; index += 1) {
      const slot = (this.#kept + index - from) % this.#size;
      this.#intervals[slot] = intervals[index] ?? 0;
      this.#detectors[slot] = detectors[index] ?? 0;
    }
    this.#kept += end - from;
    this.#sent = 0;
  }

  /** Writes the last `length` tags again, in circles; when fewer were kept, those. */
  repeat(intervals: Uint32Array, detectors: Uint8Array, from: number, end: number, length: number): void {
    const span = Math.max(1, Math.min(length, this.#kept));
    for (let index = from; index < end; index += 1) {
      const slot = (this.#kept - span + (this.#sent % span) + this.#size) % this.#size;
      intervals[index] = this.#intervals[slot] ?? 0;
      detectors[index] = this.#detectors[slot] ?? 0;
      this.#sent += 1;
    }
  }
}
