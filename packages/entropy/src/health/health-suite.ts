import type { NoiseBlock, SourceDescription } from '../source/noise-source.js';
import { AdaptiveProportion } from './adaptive-proportion.js';
import { ContextPredictor } from './context-predictor.js';
import { DuplicateBlocks } from './duplicate-blocks.js';
import { graver } from './health-test.js';
import type { Alarm, HealthTest } from './health-test.js';
import { LagPredictor } from './lag-predictor.js';
import { RepetitionCount } from './repetition-count.js';
import { RollingMinEntropy } from './rolling-min-entropy.js';

/** SP 800-90B, 4.3: so many consecutive samples at least pass before the first output. */
export const START_UP_SAMPLES = 1024;
/** Raw noise for which nothing is claimed is held to this; it is credited nothing. */
const UNCLAIMED_BITS = 0.2;

/** All tests of one source, and the min-entropy that they measured last. */
export class HealthSuite {
  readonly #description: SourceDescription;
  readonly #tests: readonly HealthTest[];
  readonly #rolling: RollingMinEntropy | undefined;
  /** The longest span of its tests. */
  readonly span: number;

  /**
   * Raw noise is held to its claim by all tests. Of noise that is conditioned already they can prove nothing: only the
   * repetition count, the adaptive proportion and the search for duplicates run, with the cutoffs of full entropy, and
   * show that the way from the source is whole.
   *
   * @param monitors further tests, such as those of a detector's physics.
   * @throws HEALTH_CUTOFF when the claim is too low for tests that can fail.
   */
  constructor(description: SourceDescription, monitors: readonly HealthTest[] = []) {
    const { bitsPerSample, minEntropyPerSample, raw } = description;
    this.#description = description;
    const minEntropy = heldTo(description);
    if (raw && minEntropyPerSample > 0) this.#rolling = new RollingMinEntropy(bitsPerSample, minEntropy);
    this.#tests = [
      ...approvedTests(description),
      new DuplicateBlocks(minEntropy),
      ...(this.#rolling ? [this.#rolling, new LagPredictor(bitsPerSample, minEntropy)] : []),
      ...(this.#rolling && bitsPerSample === 1 ? [new ContextPredictor(minEntropy)] : []),
      ...monitors,
    ];
    this.span = Math.max(...this.#tests.map((test) => test.span ?? 0));
  }

  /** Bits per sample over the last complete window; undefined before it, and of noise that is not raw. */
  get minEntropy(): number | undefined {
    return this.#rolling?.estimate;
  }

  /** The gravest alarm of the block; every test sees all of it. */
  feed(block: NoiseBlock): Alarm | undefined {
    return feedAll(this.#tests, block);
  }

  reset(): void {
    for (const test of this.#tests) test.reset();
  }

  /**
   * The on-demand test of SP 800-90B, 4.3: repetition count and adaptive proportion over a block of their own; the
   * continuous tests are not touched. Nothing is made of the samples.
   *
   * @param block at least {@link START_UP_SAMPLES} samples.
   */
  onDemand(block: NoiseBlock): Alarm | undefined {
    return feedAll(approvedTests(this.#description), block);
  }
}

/** The two continuous tests of SP 800-90B, 4.4. */
function approvedTests(description: SourceDescription): readonly HealthTest[] {
  const minEntropy = heldTo(description);
  return [new RepetitionCount(minEntropy), new AdaptiveProportion(description.bitsPerSample, minEntropy)];
}

/** The min-entropy on which the cutoffs rest, in bits per sample. */
function heldTo({ raw, bitsPerSample, minEntropyPerSample }: SourceDescription): number {
  if (!raw) return bitsPerSample;
  return minEntropyPerSample > 0 ? minEntropyPerSample : UNCLAIMED_BITS;
}

function feedAll(tests: readonly HealthTest[], block: NoiseBlock): Alarm | undefined {
  let alarm: Alarm | undefined;
  for (const test of tests) alarm = graver(alarm, test.feed(block));
  return alarm;
}
