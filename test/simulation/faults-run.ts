import { SourcePipeline } from '@symmetra/entropy';
import type { Alarm, NoiseSource, PipelineEvent } from '@symmetra/entropy';
import { ManualClock } from '@symmetra/testing';
import { setImmediate as othersTurn } from 'node:timers/promises';
import type { FaultCase } from './faults-cases.js';
import type { KnownSource } from './faults-noise.js';
import { TappedSource, transparentSeed } from './faults-source.js';

/** Samples after the fault within which it must be noticed, if it takes the noise below the claim. */
const PATIENCE = 1_500_000;
/** Samples that are read after the alarm: what is requalifying meets the fault again. */
const AFTERMATH = 700_000;
const MAX_TURNS = 50_000;

/** What became of a fault. */
export interface FaultOutcome {
  /** Claimed bits per sample. */
  readonly claim: number;
  /** The least min-entropy that the samples had after the fault began; undefined when none came any more. */
  readonly trueMinEntropy: number | undefined;
  /** The test that raised the first alarm, or the code of the error. */
  readonly foundBy: string | undefined;
  readonly level: Alarm['level'] | 'error' | undefined;
  /** Samples from the first after the fault to that which raised the alarm. */
  readonly latency: number | undefined;
  /** How many of them were below the claim. */
  readonly belowClaim: number;
  /** Windows that were thrown away. */
  readonly discardedWindows: number;
  /** Blocks released from noise before the fault, and after it. */
  readonly releasedBefore: number;
  readonly releasedAfter: number;
  /** Bits below the claim that are under a block which was released. */
  readonly escapedBits: number;
}

/** Runs the pipeline of a source, with everything that it releases taken at once, until the fault has had its effect. */
export async function runFault(fault: FaultCase): Promise<FaultOutcome> {
  const run = new FaultRun(fault);
  return run.outcome();
}

class FaultRun {
  readonly #source: KnownSource;
  readonly #truth: Float64Array[] = [];
  readonly #tap: TappedSource;
  readonly #pipeline: SourcePipeline;
  readonly #clock = new ManualClock();
  readonly #origins: number[] = [];
  #found:
    { readonly event: PipelineEvent; readonly position: number; readonly discarded: number } | undefined;

  constructor(fault: FaultCase) {
    this.#source = fault.open();
    const known: NoiseSource = {
      description: this.#source.description,
      read: async (count, signal) => {
        const block = await this.#source.read(count, signal);
        this.#truth.push(block.trueMinEntropy);
        return block;
      },
      close: async () => this.#source.close(),
    };
    this.#tap = new TappedSource(known);
    this.#pipeline = new SourcePipeline(this.#tap, {
      random: transparentSeed,
      clock: this.#clock,
      monitors: fault.monitors(),
      onEvent: (event) => this.#onEvent(event),
    });
  }

  async outcome(): Promise<FaultOutcome> {
    this.#pipeline.start();
    for (let turn = 0; turn < MAX_TURNS && !this.#isOver(); turn++) {
      this.#drain();
      this.#clock.advance(10_000);
      await othersTurn();
    }
    this.#drain();
    const { discardedWindows } = this.#pipeline.status();
    await this.#pipeline.close();
    return this.#assess(discardedWindows);
  }

  #isOver(): boolean {
    const { onset } = this.#source;
    const { state } = this.#pipeline.status();
    if (state === 'out-of-service') return true;
    if (this.#found === undefined) return onset !== undefined && this.#tap.position > onset + PATIENCE;
    if (this.#found.event.error !== undefined) return state === 'qualified' || this.#clock.monotonic() > 2e5;
    return this.#tap.position > this.#found.position + AFTERMATH;
  }

  #onEvent(event: PipelineEvent): void {
    if (event.kind === 'qualified' || event.kind === 'requalified') return;
    this.#drain();
    this.#tap.forgetEarlier();
    const { position } = this.#tap;
    this.#found ??= { event, position, discarded: this.#pipeline.status().discardedWindows };
  }

  #drain(): void {
    for (let block = this.#pipeline.take(); block; block = this.#pipeline.take()) {
      this.#origins.push(this.#tap.origin(block));
    }
  }

  #assess(discardedWindows: number): FaultOutcome {
    const { bitsPerSample, minEntropyPerSample: claim } = this.#source.description;
    const truth = flatten(this.#truth);
    const onset = this.#source.onset ?? truth.length;
    const after = truth.subarray(onset);
    const alarm = this.#found?.event.alarm;
    const latency = alarm === undefined ? undefined : alarm.sample - onset;
    const poor = (part: Float64Array): number => part.filter((entropy) => entropy < claim).length;
    const { blockSamples } = this;
    const escaped = this.#origins.map((origin) => poor(truth.subarray(origin, origin + blockSamples)));
    return {
      claim,
      trueMinEntropy: after.length === 0 ? undefined : after.reduce((a, b) => Math.min(a, b)),
      foundBy: alarm?.test ?? this.#found?.event.error,
      level: alarm?.level ?? (this.#found && 'error'),
      latency,
      belowClaim: latency === undefined ? 0 : poor(after.subarray(0, Math.max(0, latency + 1))),
      discardedWindows,
      releasedBefore: this.#origins.filter((origin) => origin + blockSamples <= onset).length,
      releasedAfter: this.#origins.filter((origin) => origin + blockSamples > onset).length,
      escapedBits: escaped.reduce((a, b) => a + b, 0) * bitsPerSample,
    };
  }

  /** Samples under a block: at least 1,224 claimed bits, in multiples of 64. */
  get blockSamples(): number {
    return Math.ceil(1224 / this.#source.description.minEntropyPerSample / 64) * 64;
  }
}

function flatten(parts: readonly Float64Array[]): Float64Array {
  const whole = new Float64Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
