import type { NoiseBlock } from '../source/noise-source.js';
import { countRule } from './assurance.js';
import type { CountRule } from './assurance.js';
import { graver } from './health-test.js';
import type { Alarm, HealthTest } from './health-test.js';

/** The bits before, which the prediction rests on. */
const CONTEXTS = 256;
const WINDOW = 2 ** 17;
/** So far a context's score goes: it has changed its mind after as many bits to the contrary. */
const LIMIT = 64;

/**
 * A predictor of bits that learns which bit follows each pattern of the eight before: dependence of any form over eight
 * bits, where neither a single lag nor the share of ones shows anything. Windows of 2^17 bits follow each other without
 * overlap, and its right predictions in each must assure the claim, as {@link countRule} has it. What was learned stays
 * from one window to the next.
 */
export class ContextPredictor implements HealthTest {
  readonly name = 'context-predictor';
  readonly rule: CountRule;
  readonly span: number;
  /** Above or at 0 the context predicts a 1. */
  readonly #scores = new Int32Array(CONTEXTS);
  #context = 0;
  #right = 0;
  #position = 0;

  /** @param minEntropy claimed bits per sample of one bit, above 0. */
  constructor(minEntropy: number) {
    this.rule = countRule({ bitsPerSample: 1, minEntropy, counted: 1 }, WINDOW);
    this.span = 2 * this.rule.window;
  }

  feed({ samples }: NoiseBlock): Alarm | undefined {
    const { window } = this.rule;
    let alarm: Alarm | undefined;
    for (let at = 0; at < samples.length;) {
      const end = Math.min(samples.length, at + window - (this.#position % window));
      this.#predict(samples, at, end);
      this.#position += end - at;
      at = end;
      if (this.#position % window === 0) alarm = graver(alarm, this.#completeWindow());
    }
    return alarm;
  }

  reset(): void {
    this.#scores.fill(0);
    this.#context = 0;
    this.#right = 0;
    this.#position = 0;
  }

  #predict(samples: Uint8Array, start: number, end: number): void {
    const scores = this.#scores;
    let context = this.#context;
    let right = this.#right;
    for (let i = start; i < end; i++) {
      const bit = samples[i] as number;
      const score = scores[context] as number;
      // The sign bit says 0; the processor cannot foresee a branch on noise.
      right += (score >>> 31) ^ bit;
      scores[context] = Math.max(-LIMIT, Math.min(LIMIT, score + 2 * bit - 1));
      context = ((context << 1) | bit) & (CONTEXTS - 1);
    }
    this.#context = context;
    this.#right = right;
  }

  #completeWindow(): Alarm | undefined {
    const { intermittent, permanent } = this.rule;
    const right = this.#right;
    this.#right = 0;
    if (right < intermittent) return undefined;
    const level = right >= permanent ? 'permanent' : 'intermittent';
    return { test: this.name, level, sample: this.#position - 1 };
  }
}
