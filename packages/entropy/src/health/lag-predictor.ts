import { criticalBinomialAtTail } from '@symmetra/battery';
import { SymmetraError } from '@symmetra/crypto';
import type { NoiseBlock } from '../source/noise-source.js';
import { countRule } from './assurance.js';
import type { CountRule } from './assurance.js';
import { LAG_ALARM_BITS } from './cutoffs.js';
import type { Cutoffs } from './cutoffs.js';
import { graver } from './health-test.js';
import type { Alarm, HealthTest } from './health-test.js';

/** How far back the predictor looks, as the one of the jitter entropy library. */
const LAGS = 8;
const WINDOW = 2 ** 17;
/** After so many samples the predictor may turn to another lag. */
const STRIDE = 256;
const NONE = -1;

/** When the lag predictor alarms. */
export interface LagCutoffs {
  /** Right predictions within the window. */
  readonly correct: Cutoffs;
  /** Right predictions one after the other. */
  readonly run: Cutoffs;
}

/**
 * A predictor that says the next sample will be the one of `lag` samples before, where the lag, 1 to 8, is the one that
 * did best so far: noise that repeats itself at a short distance. Windows of 2^17 samples follow each other without
 * overlap. Its prediction is right with probability 2^-H at most when the source gives H bits a sample, so that too
 * many right ones, or too many in a row, refute the claim. Beside that the agreements at each single lag, and of bits
 * the disagreements, too, must assure it, as {@link countRule} has it.
 */
export class LagPredictor implements HealthTest {
  readonly name = 'lag-predictor';
  readonly cutoffs: LagCutoffs;
  readonly rule: CountRule;
  readonly span: number;
  /** Of bits a disagreement predicts as well as an agreement. */
  readonly #opposites: boolean;
  readonly #agreements = new Uint32Array(LAGS);
  /** The last samples, and after them those of the stride that is being filled. */
  readonly #recent = new Uint8Array(LAGS + STRIDE);
  #filled = 0;
  #lag = 1;
  #correct = 0;
  #run = 0;
  #position = 0;

  /** @throws HEALTH_CUTOFF @param minEntropy claimed bits per sample, above 0. */
  constructor(bitsPerSample: number, minEntropy: number) {
    this.#opposites = bitsPerSample === 1;
    this.rule = countRule({ bitsPerSample, minEntropy, counted: this.#opposites ? 2 * LAGS : LAGS }, WINDOW);
    this.cutoffs = lagCutoffs(minEntropy, this.rule.window);
    this.span = 2 * this.rule.window;
  }

  feed({ samples }: NoiseBlock): Alarm | undefined {
    let alarm: Alarm | undefined;
    for (let at = 0; at < samples.length;) {
      const part = samples.subarray(at, at + STRIDE - this.#filled);
      this.#recent.set(part, LAGS + this.#filled);
      alarm = graver(alarm, this.#predict(LAGS + this.#filled, part.length));
      this.#filled += part.length;
      this.#position += part.length;
      at += part.length;
      if (this.#filled === STRIDE) alarm = graver(alarm, this.#completeStride());
    }
    return alarm;
  }

  reset(): void {
    this.#recent.fill(0);
    this.#filled = 0;
    this.#position = 0;
    this.#run = 0;
    this.#startWindow();
  }

  #startWindow(): void {
    this.#agreements.fill(0);
    this.#lag = 1;
    this.#correct = 0;
  }

  /** Compares the samples at `start` with the prediction. */
  #predict(start: number, length: number): Alarm | undefined {
    const { correct, run: inARow } = this.cutoffs;
    const recent = this.#recent;
    const lag = this.#lag;
    let right = this.#correct;
    let run = this.#run;
    let first = NONE;
    let grave = NONE;
    for (let i = start; i < start + length; i++) {
      const equal = (((recent[i] as number) ^ (recent[i - lag] as number)) - 1) >>> 31;
      right += equal;
      run = (run + 1) * equal;
      if (right < correct.intermittent && run < inARow.intermittent) continue;
      if (equal === 0) continue;
      if (first === NONE && (right === correct.intermittent || run === inARow.intermittent)) first = i;
      if (grave === NONE && (right === correct.permanent || run === inARow.permanent)) grave = i;
    }
    this.#correct = right;
    this.#run = run;
    if (grave !== NONE) return this.#alarm('permanent', this.#position + grave - start);
    if (first !== NONE) return this.#alarm('intermittent', this.#position + first - start);
    return undefined;
  }

  #completeStride(): Alarm | undefined {
    const recent = this.#recent;
    const agreements = this.#agreements;
    for (let lag = 1; lag <= LAGS; lag++) {
      let equal = 0;
      for (let i = LAGS; i < LAGS + STRIDE; i++) {
        equal += (((recent[i] as number) ^ (recent[i - lag] as number)) - 1) >>> 31;
      }
      agreements[lag - 1] = (agreements[lag - 1] as number) + equal;
    }
    recent.copyWithin(0, STRIDE);
    this.#filled = 0;
    const most = agreements.reduce((a, b) => Math.max(a, b));
    this.#lag = 1 + agreements.indexOf(most);
    return this.#position % this.rule.window === 0 ? this.#completeWindow(most) : undefined;
  }

  #completeWindow(mostAgreements: number): Alarm | undefined {
    const { window, intermittent, permanent } = this.rule;
    const fewest = this.#agreements.reduce((a, b) => Math.min(a, b));
    const most = this.#opposites ? Math.max(mostAgreements, window - fewest) : mostAgreements;
    this.#startWindow();
    if (most < intermittent) return undefined;
    return this.#alarm(most >= permanent ? 'permanent' : 'intermittent', this.#position - 1);
  }

  #alarm(level: Alarm['level'], sample: number): Alarm {
    return { test: this.name, level, sample };
  }
}

/**
 * Right predictions in the window: 1 + CRITBINOM(window, 2^-H, 1 - alpha); in a row: so many that the expected number
 * of such runs within the window is at most alpha.
 *
 * @throws HEALTH_CUTOFF when the window is too short for a test that can fail.
 */
function lagCutoffs(minEntropy: number, window: number): LagCutoffs {
  const correct = (alphaBits: number): number =>
    1 + criticalBinomialAtTail(window, 2 ** -minEntropy, 2 ** -alphaBits);
  const run = (alphaBits: number): number => Math.ceil((alphaBits + Math.log2(window)) / minEntropy);
  const cutoffs = { correct: both(correct), run: both(run) };
  if (cutoffs.correct.permanent < window && cutoffs.run.permanent < window) return cutoffs;
  throw new SymmetraError(
    'HEALTH_CUTOFF',
    `a lag predictor over ${window} samples cannot fail at ${minEntropy} bits of min-entropy a sample`,
    { minEntropy, window },
  );
}

function both(cutoff: (alphaBits: number) => number): Cutoffs {
  return {
    intermittent: cutoff(LAG_ALARM_BITS.intermittent),
    permanent: cutoff(LAG_ALARM_BITS.permanent),
  };
}
