import { SymmetraError } from '@symmetra/crypto';
import type { NoiseBlock } from '../source/noise-source.js';
import type { Digitiser } from './digitiser.js';

/** Past this many clicks for a sample, and this many at least, a detector gives no samples worth waiting for. */
const CLICKS_PER_SAMPLE = 64;
const PATIENCE_CLICKS = 65_536;

/** Gathers the clicks and samples of one block. */
export class BlockAssembly {
  readonly #samples: Uint8Array;
  readonly #tickPs: number;
  #intervals: Uint32Array;
  #detectors: Uint8Array;
  #clicks = 0;
  #written = 0;

  constructor(count: number, tickPs: number) {
    this.#samples = new Uint8Array(count);
    this.#tickPs = tickPs;
    this.#intervals = new Uint32Array(count);
    this.#detectors = new Uint8Array(count);
  }

  get complete(): boolean {
    return this.#written === this.#samples.length;
  }

  /**
   * Takes from the next clicks what the block still needs.
   * @returns how many it took.
   * @throws SOURCE_SILENT when hardly any click makes a sample.
   */
  take(intervals: Uint32Array, detectors: Uint8Array, digitiser: Digitiser): number {
    const used = digitiser.digitise(intervals, detectors, this.#samples.subarray(this.#written));
    this.#written += digitiser.written;
    this.#reserve(this.#clicks + used);
    this.#intervals.set(intervals.subarray(0, used), this.#clicks);
    this.#detectors.set(detectors.subarray(0, used), this.#clicks);
    this.#clicks += used;
    const patience = Math.max(PATIENCE_CLICKS, CLICKS_PER_SAMPLE * this.#samples.length);
    if (!this.complete && this.#clicks > patience) {
      throw new SymmetraError('SOURCE_SILENT', 'the detector clicks, but hardly any click makes a sample', {
        clicks: this.#clicks,
        samples: this.#written,
      });
    }
    return used;
  }

  /** The block, once complete; its arrays are the caller's. */
  block(): Required<NoiseBlock> {
    const clicks = {
      intervals: this.#intervals.slice(0, this.#clicks),
      detectors: this.#detectors.slice(0, this.#clicks),
      tickPs: this.#tickPs,
    };
    return { samples: this.#samples, clicks };
  }

  #reserve(clicks: number): void {
    if (clicks <= this.#intervals.length) return;
    const size = Math.max(clicks, 2 * this.#intervals.length);
    const [intervals, detectors] = [new Uint32Array(size), new Uint8Array(size)];
    intervals.set(this.#intervals);
    detectors.set(this.#detectors);
    this.#intervals = intervals;
    this.#detectors = detectors;
  }
}
