import type { NoiseBlock } from '../source/noise-source.js';

/** What a test found wrong with the noise. */
export interface Alarm {
  /** The name of the test. */
  readonly test: string;
  /**
   * `intermittent`: a good source does it once in a while (2^-30 a test, 2^-22 for the lag predictor); what it gave is
   * thrown away. `permanent`: a good source does it never (2^-60, 2^-44); it is taken out of service.
   */
  readonly level: 'intermittent' | 'permanent';
  /** The sample that raised it, counted from 0 since the test was reset. */
  readonly sample: number;
}

/** A test of raw noise that runs beside the source. It keeps nothing of the samples beyond what its rule needs. */
export interface HealthTest {
  readonly name: string;
  /**
   * How many samples after it began a fault has been seen for certain, as far as the test sees that fault at all. Not
   * stated: within the same window of the pipeline.
   */
  readonly span?: number;
  /**
   * Tests the next samples; how the noise is cut into blocks changes nothing.
   * @returns the first permanent alarm of the block, else its first intermittent one.
   */
  feed(block: NoiseBlock): Alarm | undefined;
  /** Forgets the noise seen so far: the next block begins anew. */
  reset(): void;
}

/** Of two alarms the one that decides: permanent before intermittent, the earlier argument before the later. */
export function graver(first: Alarm | undefined, second: Alarm | undefined): Alarm | undefined {
  if (first === undefined) return second;
  return second?.level === 'permanent' && first.level === 'intermittent' ? second : first;
}
