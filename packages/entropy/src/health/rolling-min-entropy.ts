import type { NoiseBlock } from '../source/noise-source.js';
import { countRule } from './assurance.js';
import type { CountRule } from './assurance.js';
import { graver } from './health-test.js';
import type { Alarm, HealthTest } from './health-test.js';

/** The window moves on by an eighth of itself. */
const STEPS = 8;
const VALUES = 256;
/** 99 percent, one side of 99.5 (SP 800-90B, 6.3.1). */
const CONFIDENCE = 2.576;

/** The most frequent value over a window that moves on: whether its share still allows the claimed min-entropy. */
export class RollingMinEntropy implements HealthTest {
  readonly name = 'rolling-min-entropy';
  readonly rule: CountRule;
  readonly span: number;
  readonly #step: number;
  /** One histogram for each step of the window, in turn. */
  readonly #steps = Array.from({ length: STEPS }, () => new Uint32Array(VALUES));
  readonly #total = new Uint32Array(VALUES);
  #position = 0;
  #estimate: number | undefined;

  /** @param minEntropy claimed bits per sample, above 0. */
  constructor(bitsPerSample: number, minEntropy: number) {
    this.rule = countRule({ bitsPerSample, minEntropy, counted: 2 ** bitsPerSample });
    this.#step = this.rule.window / STEPS;
    this.span = this.rule.window + this.#step;
  }

  /**
   * Bits per sample by the most common value estimate with its confidence bound (SP 800-90B, 6.3.1) over the last
   * complete window; undefined before the first.
   */
  get estimate(): number | undefined {
    return this.#estimate;
  }

  feed({ samples }: NoiseBlock): Alarm | undefined {
    let alarm: Alarm | undefined;
    for (let at = 0; at < samples.length;) {
      const end = Math.min(samples.length, at + this.#step - (this.#position % this.#step));
      count(this.#histogram(), samples, at, end);
      this.#position += end - at;
      at = end;
      if (this.#position % this.#step === 0) alarm = graver(alarm, this.#completeStep());
    }
    return alarm;
  }

  reset(): void {
    for (const histogram of this.#steps) histogram.fill(0);
    this.#total.fill(0);
    this.#position = 0;
    this.#estimate = undefined;
  }

  /** The histogram of the step that is being filled. */
  #histogram(): Uint32Array {
    return this.#steps[Math.floor(this.#position / this.#step) % STEPS] as Uint32Array;
  }

  #completeStep(): Alarm | undefined {
    const { window, intermittent, permanent } = this.rule;
    this.#total.fill(0);
    for (const histogram of this.#steps) {
      for (let value = 0; value < VALUES; value++) {
        this.#total[value] = (this.#total[value] as number) + (histogram[value] as number);
      }
    }
    // The oldest step makes room for the next one.
    this.#histogram().fill(0);
    if (this.#position < window) return undefined;
    const most = this.#total.reduce((a, b) => Math.max(a, b));
    this.#estimate = mostCommonValueEstimate(most / window, window);
    if (most < intermittent) return undefined;
    const level = most >= permanent ? 'permanent' : 'intermittent';
    return { test: this.name, level, sample: this.#position - 1 };
  }
}

function count(histogram: Uint32Array, samples: Uint8Array, start: number, end: number): void {
  for (let i = start; i < end; i++) {
    const value = samples[i] as number;
    histogram[value] = (histogram[value] as number) + 1;
  }
}

function mostCommonValueEstimate(share: number, length: number): number {
  const bound = Math.min(1, share + CONFIDENCE * Math.sqrt((share * (1 - share)) / (length - 1)));
  // Not -0 for a source that is stuck.
  return Math.max(0, -Math.log2(bound));
}
