import type { NoiseBlock } from '../source/noise-source.js';
import { ALARM_BITS, repetitionCutoff } from './cutoffs.js';
import type { Cutoffs } from './cutoffs.js';
import type { Alarm, HealthTest } from './health-test.js';

/** No sample has this value. */
const NO_VALUE = 256;
/** No place in a block. */
const NONE = -1;

/** The repetition count test of SP 800-90B, 4.4.1: a value that comes again and again. */
export class RepetitionCount implements HealthTest {
  readonly name = 'repetition-count';
  readonly cutoffs: Cutoffs;
  readonly span: number;
  #value = NO_VALUE;
  #run = 0;
  #position = 0;

  /** @throws HEALTH_CUTOFF @param minEntropy claimed bits per sample. */
  constructor(minEntropy: number) {
    this.cutoffs = {
      intermittent: repetitionCutoff(minEntropy, ALARM_BITS.intermittent),
      permanent: repetitionCutoff(minEntropy, ALARM_BITS.permanent),
    };
    this.span = this.cutoffs.permanent;
  }

  feed({ samples }: NoiseBlock): Alarm | undefined {
    const { intermittent, permanent } = this.cutoffs;
    let value = this.#value;
    let run = this.#run;
    let first = NONE;
    let grave = NONE;
    for (let i = 0; i < samples.length; i++) {
      const sample = samples[i] as number;
      // 1 when they are equal, else 0: the processor cannot foresee a branch on noise.
      run = 1 + run * (((sample ^ value) - 1) >>> 31);
      value = sample;
      if (run === intermittent && first === NONE) first = i;
      if (run === permanent && grave === NONE) grave = i;
    }
    this.#value = value;
    this.#run = run;
    const start = this.#position;
    this.#position += samples.length;
    if (grave !== NONE) return { test: this.name, level: 'permanent', sample: start + grave };
    if (first !== NONE) return { test: this.name, level: 'intermittent', sample: start + first };
    return undefined;
  }

  reset(): void {
    this.#value = NO_VALUE;
    this.#run = 0;
    this.#position = 0;
  }
}
