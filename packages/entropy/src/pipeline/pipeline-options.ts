import { SymmetraError } from '@symmetra/crypto';
import { START_UP_SAMPLES } from '../health/health-suite.js';
import type { GateWatch } from '../gate/watched-gate.js';
import type { Alarm, HealthTest } from '../health/health-test.js';
import type { SourceClock } from '../source/clock.js';
import type { SourceDescription } from '../source/noise-source.js';
import type { RandomBytes } from '../source.js';
import type { PipelineState, RecoveryPolicy } from './pipeline-state.js';

/** A check of extracted bytes before they may be served. */
export interface OutputGate {
  check(buffer: Uint8Array): { readonly passed: boolean };
  /** What it has seen so far, if it keeps that. */
  readonly watch?: GateWatch;
}

/** A change of state that others have to know of. */
export interface PipelineEvent {
  /**
   * `quarantined`: it serves no longer, and everything unreleased is gone; it comes back by itself once enough windows
   * in a row have passed, after a pause when that is called for. `out-of-service`: only an operator brings it back.
   */
  readonly kind: 'qualified' | 'quarantined' | 'requalified' | 'out-of-service';
  /** The name of the source. */
  readonly source: string;
  /** What its noise was found to be guilty of. */
  readonly alarm?: Alarm;
  /** The code of the error that the source failed with; UNKNOWN for a defect of the program. */
  readonly error?: string;
  /** The defect itself. */
  readonly defect?: unknown;
}

/** How the pipeline of a source stands. */
export interface PipelineStatus {
  readonly description: SourceDescription;
  readonly state: PipelineState['kind'];
  /** Credited bits in the blocks that can be taken now. */
  readonly availableBits: number;
  /** Bits that were taken and not replaced yet: the room in its pool, 1,024 for each block. */
  readonly occupiedBits: number;
  /** Samples that were tested, over the life of the pipeline. */
  readonly samples: number;
  /** Windows that passed. */
  readonly windows: number;
  /** Windows that were thrown away: those that failed, and those that waited when a later one did. */
  readonly discardedWindows: number;
  readonly alarms: number;
  /** Its sample is counted over the life of the pipeline. */
  readonly lastAlarm?: Alarm;
  /** The code of the last error of the source. */
  readonly lastError?: string;
  /** Bits per sample, by the most common value over the last window of the rolling estimate. */
  readonly minEntropy?: number;
  /** What the last assessment of its raw samples found. */
  readonly assessed?: Assessed;
  /** What its gate has seen of the extracted bytes. */
  readonly gate?: GateWatch;
  /** What SP 800-22 said of the last extracted bytes that were set aside. */
  readonly outputChecked?: OutputChecked;
}

/** What the whole of SP 800-22 found in extracted bytes that nobody gets. */
export interface OutputChecked {
  /** The least p-value, the random excursions left out. */
  readonly leastP: number;
  readonly bytes: number;
  /** When, in milliseconds since the epoch. */
  readonly time: number;
}

/** What SP 800-90B, 3.1.3 (non-IID) found in samples that were set aside. */
export interface Assessed {
  /** Bits per sample. */
  readonly minEntropy: number;
  /** Whether that bears out the claim. */
  readonly passed: boolean;
  readonly samples: number;
  /** When, in milliseconds since the epoch. */
  readonly time: number;
}

/** Windows that are set aside as evidence: tested as the others, and never served. */
export interface WindowAudit {
  /** Whether the window that has just passed is set aside; windows are numbered from 0. */
  readonly wants: (window: number) => boolean;
  /** Takes the samples of a window that passed; they are its own from then on. */
  readonly take: (samples: Uint8Array) => void;
  /** Takes what is extracted from them; it is served to nobody. */
  readonly takeOutput?: (output: Uint8Array) => void;
}

/** What a pipeline is made of. */
export interface PipelineOptions {
  /** Seeds of the extractor; not of the source itself. */
  readonly random: RandomBytes;
  readonly clock: SourceClock;
  /** Builds the check of what a window gives: always so many bytes. */
  readonly gate?: (bytes: number) => OutputGate;
  /** Tests beside those of {@link HealthSuite}: the physics of a detector. */
  readonly monitors?: readonly HealthTest[];
  readonly onEvent?: (event: PipelineEvent) => void;
  readonly audit?: WindowAudit;
  /** Samples of a window. By default 65,536 of raw noise, else 8,192, and never fewer than 32 blocks need. */
  readonly window?: number;
  /** How many later windows have to pass; by default so many as the slowest test needs. */
  readonly quarantineWindows?: number;
  /**
   * Room for extracted blocks, never less than a window gives. A window is added when it fits: by default there is room
   * for one more beside 256 blocks, so that takers may wait until 256 are ready.
   */
  readonly poolBlocks?: number;
  readonly recovery?: Partial<RecoveryPolicy>;
}

/** All figures of a pipeline. */
export interface PipelineFigures {
  readonly window: number;
  readonly quarantineWindows: number;
  readonly poolBlocks: number;
  readonly recovery: RecoveryPolicy;
}

const RAW_WINDOW = 65_536;
const CONDITIONED_WINDOW = 8192;
/** The gate looks at 4,096 bytes at least. */
const LEAST_BLOCKS = 32;
const LARGEST_WINDOW = 2 ** 20;
/** More blocks than anybody waits for at once. */
const POOL_BLOCKS = 256;
const RECOVERY: Omit<RecoveryPolicy, 'qualifyingWindows'> = {
  maxIntermittent: 3,
  maxQuarantines: 8,
  probationWindows: 64,
  firstPauseMs: 1000,
  longestPauseMs: 60_000,
};

/**
 * The figures that were given, and the defaults of the others.
 * @param span of the slowest test, in samples.
 * @param blockSamples under one extracted block.
 * @throws PIPELINE_OPTIONS; `details.option` names the figure.
 */
export function figuresOf(
  { raw }: SourceDescription,
  options: PipelineOptions,
  span: number,
  blockSamples: number,
): PipelineFigures {
  const window =
    options.window ?? Math.max(raw ? RAW_WINDOW : CONDITIONED_WINDOW, LEAST_BLOCKS * blockSamples);
  demandWhole('window', window, blockSamples, LARGEST_WINDOW);
  const blocks = Math.floor(window / blockSamples);
  const quarantineWindows = options.quarantineWindows ?? Math.ceil(span / window);
  demandWhole('quarantineWindows', quarantineWindows, 1);
  const poolBlocks = options.poolBlocks ?? POOL_BLOCKS + blocks;
  demandWhole('poolBlocks', poolBlocks, blocks);
  const startUpWindows = Math.ceil(START_UP_SAMPLES / window);
  const qualifyingWindows = Math.max(quarantineWindows + 1, startUpWindows);
  const recovery = { qualifyingWindows, ...RECOVERY, ...options.recovery };
  for (const [option, value] of Object.entries(recovery)) demandWhole(option, value, 1);
  demandWhole('qualifyingWindows', recovery.qualifyingWindows, startUpWindows);
  return { window, quarantineWindows, poolBlocks, recovery };
}

function demandWhole(option: string, value: number, least: number, most = Number.MAX_SAFE_INTEGER): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new SymmetraError(
    'PIPELINE_OPTIONS',
    `${option} of a pipeline must be a whole number from ${least}`,
    {
      option,
      value,
      least,
    },
  );
}
