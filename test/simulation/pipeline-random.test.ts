import { setImmediate as othersTurn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { SourcePipeline } from '@symmetra/entropy';
import type { PipelineEvent } from '@symmetra/entropy';
import { ManualClock, Prng } from '@symmetra/testing';
import { ScriptedSource, TappedSource, transparentSeed } from './faults-source.js';

const RUNS = 8;
const FAULTS_PER_RUN = 4;
const MAX_TURNS = 100_000;
const CLAIM = 0.8;
const BLOCK_SAMPLES = 1536;

/** What must hold of blocks that are taken after an alarm or an error. */
interface Cut {
  /** Samples that the source had given. */
  readonly position: number;
  /** Blocks that had been taken or released. */
  readonly released: number;
}

/** A source that fails at random, in ways that last until the pipeline has noticed, and everything that can happen. */
class RandomRun {
  readonly clock = new ManualClock();
  readonly random: Prng;
  readonly source: ScriptedSource;
  readonly tap: TappedSource;
  readonly pipeline: SourcePipeline;
  readonly poolBlocks: number;
  readonly events: PipelineEvent[] = [];
  readonly cuts: Cut[] = [];
  /** Where the source gives less than it claims. */
  readonly poor: [start: number, end: number][] = [];
  readonly origins: number[] = [];
  /** The most blocks that were ever ready. */
  fullest = 0;
  #fault = 0;
  #broken = false;

  constructor(seed: string) {
    this.random = new Prng(`pipeline ${seed}`);
    this.source = new ScriptedSource(seed, () => 0.5, { minEntropyPerSample: CLAIM });
    this.tap = new TappedSource(this.source);
    const window = this.random.pick([8192, 20_000, 65_536]);
    this.poolBlocks = Math.floor(window / BLOCK_SAMPLES) + this.random.below(60);
    this.pipeline = new SourcePipeline(this.tap, {
      random: transparentSeed,
      clock: this.clock,
      window,
      poolBlocks: this.poolBlocks,
      gate: () => ({ check: () => ({ passed: !this.random.chance(0.01) }) }),
      onEvent: (event) => this.#onEvent(event),
      recovery: { maxQuarantines: this.random.between(1, 4), probationWindows: this.random.between(1, 100) },
    });
  }

  async live(): Promise<void> {
    this.pipeline.start();
    for (let turn = 0; turn < MAX_TURNS; turn++) {
      this.#act();
      this.fullest = Math.max(this.fullest, this.pipeline.availableBlocks);
      const { state } = this.pipeline.status();
      if (this.#fault >= FAULTS_PER_RUN && !this.#broken && state === 'qualified') return;
      await othersTurn();
    }
    throw new Error(`the source never came back: ${JSON.stringify(this.pipeline.status())}`);
  }

  take(): void {
    const block = this.pipeline.take();
    if (block !== undefined) this.origins.push(this.tap.origin(block));
  }

  #act(): void {
    const { state } = this.pipeline.status();
    const { random } = this;
    if (random.chance(0.8)) for (let i = random.below(80); i > 0; i--) this.take();
    if (random.chance(0.2)) this.clock.advance(random.below(20_000));
    if (state === 'qualified' && random.chance(0.02)) this.#break();
    if (state === 'out-of-service' && random.chance(0.1)) this.pipeline.requalify();
    if (random.chance(0.005)) void this.pipeline.onDemandTest().catch(() => undefined);
  }

  #break(): void {
    if (this.#broken || this.#fault++ >= FAULTS_PER_RUN) return;
    this.#broken = true;
    if (this.random.chance(0.3)) {
      const code = this.random.pick(['SOURCE_SILENT', 'SOURCE_SHORT_READ', 'SOURCE_BAD_PAYLOAD']);
      this.source.become(() => code);
      return;
    }
    const share = this.random.pick([0.58, 0.6, 0.65, 0.75, 0.9, 1]);
    const start = this.source.position + this.random.below(70_000);
    this.poor.push([start, Infinity]);
    this.source.become((at) => (at >= start ? share : 0.5));
  }

  #onEvent(event: PipelineEvent): void {
    this.events.push(event);
    if (event.kind === 'qualified' || event.kind === 'requalified') return;
    const released = this.origins.length + this.pipeline.availableBlocks;
    this.cuts.push({ position: this.source.position, released });
    if (this.random.chance(0.5)) this.#repair();
    else this.clock.setTimer(this.random.below(30_000), () => this.#repair());
  }

  #repair(): void {
    this.#broken = false;
    this.source.become(() => 0.5);
    const last = this.poor.at(-1);
    if (last !== undefined) last[1] = Math.min(last[1], this.source.position);
  }
}

describe('a pipeline over a source that fails at random', () => {
  test.each(Array.from({ length: RUNS }, (_, seed) => seed))('run %i', async (seed) => {
    const run = new RandomRun(String(seed));
    await run.live();
    for (let left = run.pipeline.availableBlocks; left > 0; left--) run.take();

    expect(run.fullest).toBeLessThanOrEqual(run.poolBlocks);
    const { origins, cuts, poor } = run;
    // Every block consists of samples of its own: none is handed out twice.
    expect(
      origins.every((origin, i) => origin >= (i === 0 ? 0 : (origins[i - 1] as number) + BLOCK_SAMPLES)),
    ).toBe(true);
    // Nothing that was unreleased when an alarm or an error came is ever taken.
    const escaped = cuts.flatMap(({ position, released }) =>
      origins.filter((origin, i) => i >= released && origin < position),
    );
    expect(escaped).toEqual([]);
    // No sample below the claim is under any block.
    const belowClaim = poor.flatMap(([start, end]) =>
      origins.filter((origin) => origin < end && origin + BLOCK_SAMPLES > start),
    );
    expect(belowClaim).toEqual([]);
    expect(origins.length).toBeGreaterThan(0);
    expect(run.events.some(({ kind }) => kind === 'requalified')).toBe(true);

    await run.pipeline.close();
    expect(run.source.closed).toBe(true);
    expect(run.pipeline.availableBlocks).toBe(0);
  });
});
