import type { NonIidAssessment, Sp80022Result } from '@symmetra/battery';
import { SymmetraError } from '@symmetra/crypto';
import type {
  Assessed,
  OutputChecked,
  PipelineEvent,
  PipelineOptions,
  PipelineStatus,
} from '../pipeline/pipeline-options.js';
import { SourcePipeline } from '../pipeline/source-pipeline.js';
import type { ExtractedBlock } from '../pipeline/source-pipeline.js';
import type { SourceClock } from '../source/clock.js';
import type { NoiseSource, SourceDescription } from '../source/noise-source.js';
import type { Alarm } from '../health/health-test.js';
import type { BatteryThread } from './battery-thread.js';
import { SampleAudit } from './sample-audit.js';

/** The name under which an assessment raises an alarm. */
const ASSESSMENT = 'assessment';
/** SP 800-90B, 3.1.1 asks for a million samples; they may be put together from pieces of 1,000 or more. */
const SAMPLES = 1_000_000;
/** While an assessment is due, so many windows give one for it: an eighth of the noise. */
const EVERY = 8;
const INTERVAL_MS = 3_600_000;
/** The name under which SP 800-22 over extracted bytes raises an alarm. */
export const OUTPUT_BATTERY = 'sp800-22';
/** Every assessment sets aside as much output, or more. */
const OUTPUT_BYTES = 65_536;
/** Below this no output is good; the approximations of the tests leave less than 10^-10 of it to chance. */
const IMPOSSIBLE_P = 2 ** -60;
/** Their statistics have tails that are longer than those of their p-values. */
const LONG_TAILS: ReadonlySet<string> = new Set(['RandomExcursions', 'RandomExcursionsVariant']);
/** After an assessment that came to nothing. */
const RETRY_MS = 60_000;
/** What SP 800-90B gives perfect noise, per bit, but for one time in 25,000 or less; docs/entropy/audit.md. */
const ATTAINED_BY_PERFECT_NOISE = 0.7;

/** What the assessments of a source tell others. */
export type AssessmentEvent =
  | { readonly kind: 'assessed'; readonly source: string; readonly assessed: Assessed }
  /** Nothing was found out; the code of the error says why. */
  | { readonly kind: 'assessment-failed'; readonly source: string; readonly error: string };

export interface AssessedSourceOptions extends Omit<PipelineOptions, 'audit' | 'clock' | 'onEvent'> {
  readonly clock: SourceClock & { now(): number };
  /** One thread does for all sources; who made it closes it. */
  readonly thread: Pick<BatteryThread, 'room' | 'run'>;
  readonly onEvent?: (event: PipelineEvent | AssessmentEvent) => void;
  /** How many samples are assessed; 1,000,000 unless told otherwise, at least 10,000. */
  readonly samples?: number;
  /** How many extracted bytes SP 800-22 looks at; 65,536 unless told otherwise. */
  readonly outputBytes?: number;
}

/** The least min-entropy that an assessment has to find in a source, in bits per sample. */
function assessmentLimit({ bitsPerSample, minEntropyPerSample }: SourceDescription): number {
  return Math.min(minEntropyPerSample, ATTAINED_BY_PERFECT_NOISE * bitsPerSample);
}

/**
 * A source of raw noise behind its tests, whose noise is assessed by SP 800-90B beside that: at first as soon as
 * enough windows were set aside, then once an hour, and only while somebody draws. A source that is assessed below
 * its claim serves no longer, at once and with all that it had ready. It comes back when it has passed its tests
 * again and then an assessment of nothing but samples from after that.
 */
export class AssessedSource {
  readonly description: SourceDescription;
  readonly #pipeline: SourcePipeline;
  readonly #audit: SampleAudit<{ battery: 'sp800-90b'; bitsPerSample: number }>;
  readonly #output: SampleAudit<{ battery: 'sp800-22'; profile: 'corrected' }>;
  readonly #options: AssessedSourceOptions;
  readonly #samples: number;
  readonly #limit: number;
  #gathered = 0;
  #running = false;
  #condemnations = 0;
  /** The condemnations before the assessment that runs: its samples are from after them. */
  #begunAfter = 0;
  #dueAt = -Infinity;
  #assessed: Assessed | undefined;
  #outputChecked: OutputChecked | undefined;
  /** Found bad, and not found good since. */
  #condemned = false;

  /** @throws what the constructor of {@link SourcePipeline} throws */
  constructor(source: NoiseSource, options: AssessedSourceOptions) {
    const { thread, samples = SAMPLES, outputBytes = OUTPUT_BYTES, ...pipeline } = options;
    this.description = source.description;
    this.#options = options;
    this.#samples = samples;
    this.#limit = assessmentLimit(source.description);
    this.#audit = new SampleAudit({
      thread,
      job: { battery: 'sp800-90b', bitsPerSample: source.description.bitsPerSample },
      bytes: samples,
      onResult: (result) => this.#found(result),
      onFailure: (error) => this.#failed(error, ASSESSMENT),
    });
    this.#output = new SampleAudit({
      thread,
      job: { battery: OUTPUT_BATTERY, profile: 'corrected' },
      bytes: outputBytes,
      onResult: (result) => this.#checked(result, outputBytes),
      onFailure: (error) => this.#failed(error, OUTPUT_BATTERY),
    });
    this.#pipeline = new SourcePipeline(source, {
      ...pipeline,
      audit: {
        wants: (window) => this.#wants(window),
        take: (window) => this.#take(window),
        takeOutput: this.#output.take,
      },
      onEvent: (event) => this.#sourceChanged(event),
    });
  }

  get blockEntropyBits(): number {
    return this.#pipeline.blockEntropyBits;
  }

  /** Blocks that can be taken now. */
  get availableBlocks(): number {
    return this.#condemned ? 0 : this.#pipeline.availableBlocks;
  }

  /** That of the pipeline, but that a source which waits for its assessment is not qualified. */
  get state(): PipelineStatus['state'] {
    const { state } = this.#pipeline;
    return this.#condemned && state === 'qualified' ? 'requalifying' : state;
  }

  start(): void {
    this.#pipeline.start();
  }

  status(): PipelineStatus {
    return {
      ...this.#pipeline.status(),
      state: this.state,
      availableBits: this.availableBlocks * this.blockEntropyBits,
      ...(this.#assessed && { assessed: this.#assessed }),
      ...(this.#outputChecked && { outputChecked: this.#outputChecked }),
    };
  }

  /** The next extracted block, which the caller owns. */
  take(): ExtractedBlock | undefined {
    return this.#condemned ? undefined : this.#pipeline.take();
  }

  /** As {@link SourcePipeline.onDemandTest}. */
  async onDemandTest(): Promise<Alarm | undefined> {
    return this.#pipeline.onDemandTest();
  }

  async close(): Promise<void> {
    await this.#pipeline.close();
    this.#audit.wipe();
    this.#output.wipe();
  }

  /** A condemned source gives everything to its next assessment, which so begins with its first clean window. */
  #wants(window: number): boolean {
    if (this.#running || this.#options.clock.monotonic() < this.#dueAt) return false;
    return this.#condemned || window % EVERY === EVERY - 1;
  }

  #take(window: Uint8Array): void {
    const { skipped } = this.#audit;
    this.#gathered += window.length;
    this.#audit.take(window);
    if (this.#gathered < this.#samples) return;
    this.#forget();
    this.#running = this.#audit.skipped === skipped;
    this.#begunAfter = this.#condemnations;
  }

  #forget(): void {
    this.#gathered = 0;
    this.#audit.wipe();
  }

  #found({ minEntropy }: NonIidAssessment): void {
    const { name } = this.description;
    const { clock, onEvent } = this.#options;
    const passed = minEntropy >= this.#limit;
    this.#running = false;
    // From here on it gives nothing: whoever hears of the assessment may draw.
    this.#condemned ||= !passed;
    this.#assessed = { minEntropy, passed, samples: this.#samples, time: clock.now() };
    onEvent?.({ kind: 'assessed', source: name, assessed: this.#assessed });
    if (!passed) {
      this.#condemn(ASSESSMENT);
      return;
    }
    if (this.#begunAfter !== this.#condemnations) return;
    this.#dueAt = clock.monotonic() + INTERVAL_MS;
    if (!this.#condemned) return;
    this.#condemned = false;
    if (this.state === 'qualified') onEvent?.({ kind: 'requalified', source: name });
  }

  /**
   * Whatever the noise is, its output looks good: if not, what lies between is broken. The output of the windows of an
   * assessment is checked before that, so that one which passes clears both.
   */
  #checked(result: Sp80022Result, bytes: number): void {
    const pValues = Object.entries(result).flatMap(([test, values]) => (LONG_TAILS.has(test) ? [] : values));
    const leastP = Math.min(1, ...pValues);
    this.#outputChecked = { leastP, bytes, time: this.#options.clock.now() };
    if (!(leastP >= IMPOSSIBLE_P)) this.#condemn(OUTPUT_BATTERY);
  }

  /** One that waits for its assessment begins again, after a pause that grows. */
  #failed(error: unknown, test: string): void {
    const { clock, onEvent } = this.#options;
    const code = error instanceof SymmetraError ? error.code : 'UNKNOWN';
    if (test === ASSESSMENT) this.#running = false;
    if (code === 'AUDIT_CLOSED') return;
    onEvent?.({ kind: 'assessment-failed', source: this.description.name, error: code });
    if (this.#condemned) this.#condemn(test);
    else this.#dueAt = clock.monotonic() + RETRY_MS;
  }

  #condemn(test: string): void {
    this.#condemned = true;
    this.#condemnations++;
    this.#dueAt = -Infinity;
    this.#pipeline.condemn(test);
  }

  #sourceChanged(event: PipelineEvent): void {
    if (event.kind === 'quarantined' || event.kind === 'out-of-service') {
      this.#forget();
      this.#output.wipe();
    } else if (this.#condemned) return;
    this.#options.onEvent?.(event);
  }
}
