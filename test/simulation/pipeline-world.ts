import { expect } from 'vitest';
import { SourcePipeline } from '@symmetra/entropy';
import type { ExtractedBlock, PipelineEvent, PipelineOptions, SourceDescription } from '@symmetra/entropy';
import { ManualClock } from '@symmetra/testing';
import { ScriptedSource, TappedSource, transparentSeed, until } from './faults-source.js';
import type { Script } from './faults-source.js';

export const WINDOW = 16_384;
/** 1,224 bits at 0.8 bits a sample, in multiples of 64 samples. */
export const BLOCK_SAMPLES = 1536;
export const WINDOW_BLOCKS = Math.floor(WINDOW / BLOCK_SAMPLES);
export const FAIR = 0.5;
export const STUCK = 1;

export const fair =
  (bits: number): Script =>
  () =>
    2 ** -bits;
export const good = fair(1);

/** A pipeline over a scripted source, with small windows and a clock that stands still. Each test has noise of its own. */
export class World {
  readonly clock = new ManualClock();
  readonly events: PipelineEvent[] = [];
  readonly source: ScriptedSource;
  readonly tap: TappedSource;
  readonly pipeline: SourcePipeline;

  constructor(
    script: Script,
    options: Partial<PipelineOptions> = {},
    changed: Partial<SourceDescription> = {},
  ) {
    this.source = new ScriptedSource(expect.getState().currentTestName ?? '', script, changed);
    this.tap = new TappedSource(this.source);
    this.pipeline = new SourcePipeline(this.tap, {
      random: transparentSeed,
      clock: this.clock,
      onEvent: (event) => this.events.push(event),
      window: WINDOW,
      quarantineWindows: 4,
      poolBlocks: 2 * WINDOW_BLOCKS,
      ...options,
    });
  }

  get state(): string {
    return this.pipeline.status().state;
  }

  async reaches(state: string): Promise<void> {
    await until(() => this.state === state, state);
  }

  /** Takes all blocks that are ready. */
  drain(): ExtractedBlock[] {
    const blocks: ExtractedBlock[] = [];
    for (let block = this.pipeline.take(); block; block = this.pipeline.take()) blocks.push(block);
    return blocks;
  }

  /** Takes what is ready until something has come true. */
  async drainUntil(condition: () => boolean, what: string): Promise<number[]> {
    const origins: number[] = [];
    await until(() => {
      origins.push(...this.drain().map((block) => this.tap.origin(block)));
      return condition();
    }, what);
    return origins;
  }
}
