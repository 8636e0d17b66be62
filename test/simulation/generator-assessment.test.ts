import { assessNonIid } from '@symmetra/battery';
import { SymmetraError } from '@symmetra/crypto';
import {
  AssessedSource,
  BatteryThread,
  RandomBitGenerator,
  SourcePipeline,
  osRandom,
} from '@symmetra/entropy';
import type { AssessedSourceOptions, BatteryJob, GeneratorEvent, RandomBytes } from '@symmetra/entropy';
import { ManualClock, Prng } from '@symmetra/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { until } from './faults-source.js';
import { NoiseWithMemory } from './noise-with-memory.js';

const WINDOW = 16_384;
const SAMPLES = 50_000;
/** Three of the four windows of an assessment give so much. */
const OUTPUT_BYTES = 2048;
const SEED_BYTES = 48;
const HOUR_MS = 3_600_000;

type Thread = AssessedSourceOptions['thread'];

/** Runs the battery at once; what `fails` says is lost. */
function threadAt(fails: () => boolean = () => false) {
  const thread: Thread & { jobs: number; leastP: number } = {
    jobs: 0,
    room: 1,
    /** What SP 800-22 finds. */
    leastP: 0.5,
    run: (async ({ battery }: BatteryJob, bytes: Uint8Array) => {
      const samples = bytes.slice();
      bytes.fill(0);
      if (battery === 'sp800-22') return { RandomExcursions: [0], Frequency: [0.7], Runs: [thread.leastP] };
      thread.jobs += 1;
      if (fails()) throw new SymmetraError('AUDIT_WORKER_LOST', 'planted');
      return assessNonIid(samples, 1);
    }) as Thread['run'],
  };
  return thread;
}

const opened: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0)) await close();
});

class World {
  readonly clock = new ManualClock();
  readonly events: GeneratorEvent[] = [];
  /** Seeds that were there for who heard that the noise is bad. */
  drawnByHearers = 0;
  readonly noise: NoiseWithMemory;
  readonly generator: RandomBitGenerator;

  constructor(bad: boolean, thread: Thread & { close?: () => Promise<void> }) {
    this.noise = new NoiseWithMemory(bad);
    const prng = new Prng('assessment');
    const random: RandomBytes = (length) => prng.bytes(length);
    this.generator = new RandomBitGenerator({
      os: random,
      clock: this.clock,
      thread: { close: async () => thread.close?.() },
      onEvent: (event) => {
        this.events.push(event);
        if (event.kind === 'assessed' && !event.assessed.passed) this.drawAsHearer();
      },
      open: (notify) => [
        new AssessedSource(this.noise, {
          random,
          clock: this.clock,
          thread,
          onEvent: notify,
          window: WINDOW,
          quarantineWindows: 2,
          poolBlocks: 64,
          samples: SAMPLES,
          outputBytes: OUTPUT_BYTES,
          recovery: { maxQuarantines: 3 },
        }),
      ],
    });
    opened.push(async () => this.generator.close());
  }

  get source() {
    const [source] = this.generator.status().sources;
    if (source === undefined) throw new Error('there is no source');
    return source;
  }

  get kinds(): readonly string[] {
    return this.events.map(({ kind }) => kind);
  }

  /** Takes what there is until something has come true; the clock goes on a little with each look. */
  async drawUntil(condition: () => boolean, what: string): Promise<void> {
    await until(() => {
      this.clock.advance(1);
      this.draw();
      return condition();
    }, what);
  }

  drawAsHearer(): void {
    const { availableSeeds } = this.generator.status();
    this.drawnByHearers += availableSeeds;
    if (availableSeeds > 0) this.generator.full(1);
  }

  draw(): void {
    const { availableSeeds } = this.generator.status();
    if (availableSeeds > 4) this.generator.full((availableSeeds - 4) * SEED_BYTES);
  }
}

describe('a source whose noise is what it claims', () => {
  test('is assessed while somebody draws, then once an hour', async () => {
    const thread = threadAt();
    const world = new World(false, thread);
    await world.drawUntil(() => world.source.assessed !== undefined, 'an assessment');
    expect(world.source.assessed).toMatchObject({ passed: true, samples: SAMPLES });
    expect(world.source.assessed?.minEntropy).toBeGreaterThan(0.5);
    expect(world.source.assessed?.minEntropy).toBeLessThan(1);
    const { position } = world.noise;
    await world.drawUntil(() => world.noise.position > position + 40 * WINDOW, 'more windows');
    expect(thread.jobs).toBe(1);
    world.clock.advance(HOUR_MS);
    await world.drawUntil(() => thread.jobs === 2, 'another assessment');
    expect(world.kinds.filter((kind) => kind === 'quarantined')).toEqual([]);
  });

  test('is not read for an assessment when nobody draws', async () => {
    const thread = threadAt();
    const world = new World(false, thread);
    await until(() => world.source.state === 'qualified', 'qualified');
    for (let turn = 0; turn < 100; turn++) await until(() => true, 'a turn');
    const { position } = world.noise;
    world.clock.advance(10 * HOUR_MS);
    for (let turn = 0; turn < 100; turn++) await until(() => true, 'a turn');
    expect(world.noise.position).toBe(position);
    expect(thread.jobs).toBe(0);
  });

  test('goes on serving when the thread is lost, and is assessed later', async () => {
    let lost = true;
    const thread = threadAt(() => lost);
    const world = new World(false, thread);
    await world.drawUntil(() => thread.jobs === 1, 'a lost thread');
    await world.drawUntil(() => world.kinds.includes('assessment-failed'), 'its event');
    expect(world.events.at(-1)).toEqual({
      kind: 'assessment-failed',
      source: 'memory',
      error: 'AUDIT_WORKER_LOST',
    });
    expect(world.generator.status().state).toBe('ready');
    lost = false;
    world.clock.advance(60_000);
    await world.drawUntil(() => world.source.assessed?.passed === true, 'an assessment');
  });
});

describe('a source whose noise is less than it claims, as no test beside it sees', () => {
  test('is taken out by the assessment, with all that it had ready', async () => {
    const world = new World(true, threadAt());
    await world.drawUntil(() => world.kinds.includes('exhausted'), 'the end of its service');
    expect(world.events.slice(-3)).toMatchObject([
      { kind: 'assessed', assessed: { passed: false } },
      { kind: 'exhausted' },
      { kind: 'quarantined', source: 'memory', alarm: { test: 'assessment', level: 'permanent' } },
    ]);
    expect(world.drawnByHearers).toBe(0);
    expect(world.source.assessed?.minEntropy).toBeLessThan(0.3);
    expect(world.source).toMatchObject({ state: 'quarantined', availableBits: 0, alarms: 1 });
    expect(world.generator.status().availableSeeds).toBe(0);
    expect(() => world.generator.full(1)).toThrow(expect.objectContaining({ code: 'ENTROPY_SHORT' }));
  });

  test('comes back once it has passed its tests and then an assessment', async () => {
    const thread = threadAt();
    const world = new World(true, thread);
    await world.drawUntil(() => world.kinds.includes('exhausted'), 'the end of its service');
    world.noise.bad = false;
    const { position } = world.noise;
    world.events.length = 0;
    world.clock.advance(1000);
    await until(() => world.kinds.includes('restored'), 'its return');
    expect(world.events).toMatchObject([
      { kind: 'assessed', assessed: { passed: true } },
      { kind: 'requalified', source: 'memory' },
      { kind: 'restored' },
    ]);
    expect(world.noise.position - position).toBeGreaterThan(SAMPLES);
    expect(thread.jobs).toBe(2);
    await until(() => world.generator.status().availableSeeds > 0, 'seeds');
  });

  test('never serves again while it stays so, and is out of service in the end', async () => {
    const world = new World(true, threadAt());
    await world.drawUntil(() => world.kinds.includes('exhausted'), 'the end of its service');
    await until(() => {
      world.clock.advance(100);
      expect(world.generator.status()).toMatchObject({ state: 'exhausted', availableSeeds: 0 });
      return world.source.state === 'out-of-service';
    }, 'out of service');
    expect(world.kinds.filter((kind) => kind === 'requalified')).toEqual([]);
  });

  test.each([
    [0.4999, false],
    [0.5, true],
  ])('is held to its claim of 0.5 bits: assessed at %f', async (minEntropy, passed) => {
    const thread = threadAt();
    const run = async () => ({ minEntropy });
    const world = new World(false, { ...thread, run: run as unknown as Thread['run'] });
    await world.drawUntil(() => world.source.assessed !== undefined, 'an assessment');
    expect(world.source.assessed).toMatchObject({ minEntropy, passed });
    expect(world.generator.status().state).toBe(passed ? 'ready' : 'exhausted');
  });

  test('stays out when it can not be assessed again', async () => {
    let lost = false;
    const world = new World(
      true,
      threadAt(() => lost),
    );
    await world.drawUntil(() => world.kinds.includes('exhausted'), 'the end of its service');
    world.noise.bad = false;
    lost = true;
    await until(() => {
      world.clock.advance(100);
      expect(world.generator.status().availableSeeds).toBe(0);
      return world.source.state === 'out-of-service';
    }, 'out of service');
    expect(world.kinds).toContain('assessment-failed');
    expect(world.kinds).not.toContain('restored');
  });
});

describe('a source whose output is impossible', () => {
  test('is taken out, and comes back when noise and output are good again', async () => {
    const thread = threadAt();
    const world = new World(false, thread);
    thread.leastP = 2 ** -61;
    await world.drawUntil(() => world.kinds.includes('exhausted'), 'the end of its service');
    expect(world.events).toContainEqual({
      kind: 'quarantined',
      source: 'memory',
      alarm: { test: 'sp800-22', level: 'permanent', sample: expect.any(Number) },
    });
    expect(world.source.outputChecked).toMatchObject({ leastP: 2 ** -61, bytes: OUTPUT_BYTES });
    expect(world.generator.status().availableSeeds).toBe(0);
    world.clock.advance(1000);
    await until(() => world.kinds.filter((kind) => kind === 'quarantined').length === 2, 'another check');
    expect(world.generator.status().availableSeeds).toBe(0);
    thread.leastP = 2 ** -59;
    await until(() => {
      world.clock.advance(100);
      return world.kinds.includes('restored');
    }, 'its return');
    expect(world.source).toMatchObject({ state: 'qualified', outputChecked: { leastP: 2 ** -59 } });
  });

  test('as long as that is so, never serves again', async () => {
    const thread = threadAt();
    const world = new World(false, thread);
    thread.leastP = 0;
    await world.drawUntil(() => world.kinds.includes('exhausted'), 'the end of its service');
    await until(() => {
      world.clock.advance(100);
      expect(world.generator.status()).toMatchObject({ state: 'exhausted', availableSeeds: 0 });
      return world.source.state === 'out-of-service';
    }, 'out of service');
  });
});

test('a window that is read while the verdict falls is thrown away', async () => {
  const clock = new ManualClock();
  const noise = new NoiseWithMemory(false);
  let hold: Promise<void> | undefined;
  let reading = false;
  const pipeline = new SourcePipeline(
    {
      description: noise.description,
      read: async (count, signal) => {
        reading = hold !== undefined;
        await hold;
        return noise.read(count, signal);
      },
      close: async () => noise.close(),
    },
    { random: osRandom().bytes, clock, window: WINDOW, quarantineWindows: 2, poolBlocks: 64 },
  );
  opened.push(async () => pipeline.close());
  pipeline.start();
  await until(() => pipeline.state === 'qualified', 'qualified');
  let release: () => void = () => undefined;
  hold = new Promise((resolve) => {
    release = resolve;
  });
  await until(() => {
    pipeline.take();
    return reading;
  }, 'a read that waits');
  const { windows } = pipeline.status();
  pipeline.condemn('verdict');
  expect(pipeline.status()).toMatchObject({ state: 'quarantined', availableBits: 0 });
  clock.advance(1000);
  expect(pipeline.state).toBe('requalifying');
  release();
  hold = undefined;
  await until(() => pipeline.state === 'qualified', 'qualified again');
  // Three clean windows qualify it; the one in between is none of them.
  expect(pipeline.status().windows).toBe(windows + 3);
  expect(noise.position).toBe((windows + 4) * WINDOW);
});

describe('the thread', () => {
  test('is one of the real ones, and ends with the generator', async () => {
    const thread = new BatteryThread();
    const world = new World(true, thread);
    await world.drawUntil(() => world.kinds.includes('exhausted'), 'the end of its service');
    expect(world.source.lastAlarm).toMatchObject({ test: 'assessment' });
    await world.generator.close();
    expect(thread.room).toBe(0);
  });

  test('that is closed over a battery is no event', async () => {
    const thread = new BatteryThread();
    const world = new World(false, thread);
    await world.drawUntil(() => thread.room < 9, 'a battery that runs');
    await world.generator.close();
    for (let turn = 0; turn < 10; turn++) await until(() => true, 'a turn');
    expect(world.kinds).toEqual(['qualified', 'ready']);
  });
});
