import { setImmediate as othersTurn } from 'node:timers/promises';
import { SymmetraError, wipe } from '@symmetra/crypto';
import { HealthSuite } from '../health/health-suite.js';
import type { Alarm } from '../health/health-test.js';
import type { SourceTimer } from '../source/clock.js';
import type { NoiseSource, SourceDescription } from '../source/noise-source.js';
import { BlockPool } from './block-pool.js';
import { figuresOf } from './pipeline-options.js';
import type {
  OutputGate,
  PipelineEvent,
  PipelineFigures,
  PipelineOptions,
  PipelineStatus,
} from './pipeline-options.js';
import { INITIAL_STATE, reads, transition } from './pipeline-state.js';
import type { PipelineInput, PipelineState } from './pipeline-state.js';
import { Quarantine } from './quarantine.js';
import { BLOCK_BITS, WindowExtraction, cutBlocks } from './window-extraction.js';
import { WindowReader } from './window-reader.js';

export type { PipelineEvent, PipelineStatus } from './pipeline-options.js';

/** The name under which the gate raises an alarm. */
const GATE = 'gate';
/** A good buffer fails the gate once in a while; two in a row are no accident. */
const GATE_FAILURES = 2;

/** One extracted block. */
export interface ExtractedBlock {
  /** 1,024 bits, which the taker owns and wipes. */
  readonly bytes: Uint8Array;
  /** The credited min-entropy; 0 for a source that claims none. */
  readonly entropyBits: number;
}

interface Demand {
  readonly resolve: (alarm: Alarm | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * One source behind its tests. It reads windows of raw samples as long as there is room for what they give; every test
 * sees every sample. A window that passed is extracted and waits in quarantine until so many later ones have passed
 * that even the slowest test would have found a fault in it, and only then can be taken. At an alarm, or an error of
 * the source, everything that waits is zeroed, and so many clean windows must pass again. {@link transition} has the
 * states. Neither `onEvent` nor anything of `audit` may throw.
 */
export class SourcePipeline {
  readonly description: SourceDescription;
  readonly #source: NoiseSource;
  readonly #options: PipelineOptions;
  readonly #figures: PipelineFigures;
  readonly #suite: HealthSuite;
  readonly #reader: WindowReader;
  readonly #extraction: WindowExtraction;
  readonly #gate: OutputGate | undefined;
  readonly #quarantine: Quarantine;
  readonly #pool: BlockPool;
  readonly #closing = new AbortController();
  readonly #demands: Demand[] = [];
  #state: PipelineState = INITIAL_STATE;
  #running: Promise<void> | undefined;
  #wake: () => void = () => undefined;
  #pause: SourceTimer | undefined;
  #windows = 0;
  #discardedWindows = 0;
  #gateFailures = 0;
  #alarms = 0;
  #condemnations = 0;
  #lastAlarm: Alarm | undefined;
  #lastError: string | undefined;

  /**
   * @param source closed with the pipeline.
   * @throws HEALTH_CUTOFF when no test can be built on what the source claims; PIPELINE_OPTIONS;
   *   EXTRACTOR_SIZE; what `options.gate` throws.
   */
  constructor(source: NoiseSource, options: PipelineOptions) {
    this.description = source.description;
    this.#source = source;
    this.#options = options;
    this.#suite = new HealthSuite(source.description, options.monitors);
    this.#extraction = new WindowExtraction(source.description, options.random);
    this.#figures = figuresOf(source.description, options, this.#suite.span, this.#extraction.blockSamples);
    this.#reader = new WindowReader(source, this.#suite, this.#figures.window);
    this.#gate = options.gate?.(this.#extraction.bytesOf(this.#figures.window));
    this.#quarantine = new Quarantine(this.#figures.quarantineWindows);
    this.#pool = new BlockPool(this.#figures.poolBlocks);
  }

  /** What each block is credited, in bits; 0 for a source that is only mixed in. */
  get blockEntropyBits(): number {
    return this.#extraction.blockEntropyBits;
  }

  /** Blocks that can be taken now. */
  get availableBlocks(): number {
    return this.#pool.length;
  }

  /** Credited bits in them. */
  get availableBits(): number {
    return this.#pool.length * this.blockEntropyBits;
  }

  /** Begins to read. Calling it again changes nothing. */
  start(): void {
    if (this.#state.kind !== 'closed') this.#running ??= this.#run();
  }

  get state(): PipelineState['kind'] {
    return this.#state.kind;
  }

  status(): PipelineStatus {
    const minEntropy = this.#suite.minEntropy;
    const gate = this.#gate?.watch;
    return {
      description: this.description,
      state: this.state,
      availableBits: this.availableBits,
      occupiedBits: this.#pool.room * BLOCK_BITS,
      samples: this.#reader.tested,
      windows: this.#windows,
      discardedWindows: this.#discardedWindows,
      alarms: this.#alarms,
      ...(this.#lastAlarm && { lastAlarm: this.#lastAlarm }),
      ...(this.#lastError !== undefined && { lastError: this.#lastError }),
      ...(minEntropy !== undefined && { minEntropy }),
      ...(gate && { gate }),
    };
  }

  /** The next extracted block, each handed out once; undefined when none is ready. */
  take(): ExtractedBlock | undefined {
    const bytes = this.#pool.take();
    if (bytes === undefined) return undefined;
    this.#wake();
    return { bytes, entropyBits: this.blockEntropyBits };
  }

  /**
   * The test on demand of SP 800-90B, 4.3, over fresh samples, which nobody gets; it waits for `start`. An alarm has the
   * same consequences as one of the continuous tests.
   *
   * @throws PIPELINE_CLOSED; what the source throws.
   */
  async onDemandTest(): Promise<Alarm | undefined> {
    if (this.#state.kind === 'closed') throw closed(this.description.name);
    const answer = new Promise<Alarm | undefined>((resolve, reject) => {
      this.#demands.push({ resolve, reject });
    });
    this.#wake();
    return answer;
  }

  /** The operator's word that a source which is quarantined or out of service may try again. Else nothing happens. */
  requalify(): void {
    if (this.#state.kind !== 'quarantined' && this.#state.kind !== 'out-of-service') return;
    this.#turn('requalify');
    this.#wake();
  }

  /**
   * The verdict of a test that looked at samples which were set aside: as by a permanent alarm, but what was released
   * goes, too, for nothing says since when its noise is bad.
   */
  condemn(test: string): void {
    this.#condemnations++;
    this.#pool.wipe();
    if (!reads(this.#state)) return;
    this.#alarmed({ test, level: 'permanent', sample: Math.max(0, this.#reader.tested - 1) });
    this.#wake();
  }

  /** Ends reading, zeroes everything that was not taken and closes the source. May be called twice. */
  async close(): Promise<void> {
    if (this.#state.kind !== 'closed') {
      this.#turn('close');
      this.#closing.abort(closed(this.description.name));
      this.#wake();
      for (const { reject } of this.#demands.splice(0)) reject(closed(this.description.name));
    }
    await this.#running;
    this.#pool.wipe();
    this.#extraction.wipe();
    await this.#source.close();
  }

  async #run(): Promise<void> {
    while (this.#state.kind !== 'closed') {
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      if (this.#demands.length > 0) await this.#answerDemand();
      else if (this.#hasWork()) await this.#readWindow().then(othersTurn);
      else await woken;
    }
  }

  /** Releases what may be released; whether another window is to be read. */
  #hasWork(): boolean {
    if (!reads(this.#state)) return false;
    if (this.#state.kind !== 'qualified') return true;
    for (let blocks = this.#quarantine.released; blocks !== undefined; blocks = this.#quarantine.released) {
      if (blocks.length > this.#pool.room) return false;
      this.#quarantine.removeOldest();
      this.#pool.add(blocks);
    }
    return this.#pool.room > 0;
  }

  async #readWindow(): Promise<void> {
    const condemnations = this.#condemnations;
    try {
      const alarm = await this.#reader.read(this.#closing.signal);
      if (!reads(this.#state)) return;
      if (alarm === undefined) {
        // Else it began before the tests were reset.
        if (condemnations === this.#condemnations) this.#windowPassed();
      } else {
        this.#discardedWindows++;
        this.#alarmed(alarm);
      }
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#reader.wipe();
    }
  }

  #windowPassed(): void {
    const { audit } = this.#options;
    if (audit?.wants(this.#windows) === true) {
      audit.takeOutput?.(this.#extraction.extract(this.#reader.samples));
      audit.take(this.#reader.samples.slice());
      this.#keep([]);
      return;
    }
    const output = this.#extraction.extract(this.#reader.samples);
    if (this.#gate?.check(output).passed !== false) {
      this.#keep(cutBlocks(output));
      return;
    }
    wipe(output);
    this.#discardedWindows++;
    this.#gateFailures++;
    if (this.#gateFailures < GATE_FAILURES) return;
    this.#alarmed({ test: GATE, level: 'intermittent', sample: this.#reader.tested - 1 });
  }

  #keep(blocks: readonly Uint8Array[]): void {
    this.#windows++;
    this.#gateFailures = 0;
    this.#quarantine.add(blocks);
    this.#turn('window-passed');
  }

  async #answerDemand(): Promise<void> {
    const demand = this.#demands.shift();
    try {
      const alarm = await this.#reader.testOnDemand(this.#closing.signal);
      if (alarm !== undefined && reads(this.#state)) this.#alarmed(alarm);
      demand?.resolve(alarm);
    } catch (error) {
      this.#failed(error);
      demand?.reject(error);
    }
  }

  #alarmed(alarm: Alarm): void {
    this.#alarms++;
    this.#lastAlarm = alarm;
    this.#turn(alarm.level === 'permanent' ? 'permanent-alarm' : 'intermittent-alarm', { alarm });
  }

  #failed(error: unknown): void {
    if (!reads(this.#state)) return;
    const named = error instanceof SymmetraError;
    const code = named ? error.code : 'UNKNOWN';
    this.#lastError = code;
    this.#turn('source-error', { error: code, ...(!named && { defect: error }) });
  }

  /** Takes the step of the transition relation and does what the new state asks for. */
  #turn(input: PipelineInput, cause: Pick<PipelineEvent, 'alarm' | 'defect' | 'error'> = {}): void {
    const before = this.#state;
    this.#state = transition(before, input, this.#figures.recovery);
    this.#pause?.cancel();
    if (input !== 'window-passed') this.#discard();
    if (this.#state.kind === 'quarantined') this.#comeBackAfter(this.#state.pauseMs);
    const kind = eventOf(before, this.#state, input);
    if (kind !== undefined) this.#options.onEvent?.({ kind, source: this.description.name, ...cause });
  }

  #comeBackAfter(ms: number): void {
    this.#pause = this.#options.clock.setTimer(ms, () => {
      this.#turn('pause-over');
      this.#wake();
    });
  }

  /** Back to the last good window: nothing that is not released is left. */
  #discard(): void {
    this.#discardedWindows += this.#quarantine.discard();
    this.#gateFailures = 0;
    this.#reader.reset();
    if (this.#state.kind !== 'closed') this.#extraction.renewSeed();
  }
}

/** What others are told of a transition. */
function eventOf(
  before: PipelineState,
  after: PipelineState,
  input: PipelineInput,
): PipelineEvent['kind'] | undefined {
  if (after.kind === 'out-of-service') return 'out-of-service';
  if (input.endsWith('-alarm') || input === 'source-error') return 'quarantined';
  if (after.kind !== 'qualified' || before.kind === 'qualified') return undefined;
  return before.kind === 'starting' ? 'qualified' : 'requalified';
}

function closed(source: string): SymmetraError {
  return new SymmetraError('PIPELINE_CLOSED', 'the pipeline of the source was closed', { source });
}
