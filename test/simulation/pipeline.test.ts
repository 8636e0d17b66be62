import { describe, expect, test } from 'vitest';
import {
  ARRIVAL_TIME_SETUP,
  BEAM_SPLITTER_SETUP,
  BufferGate,
  DetectorMonitor,
  SimulatedDetector,
  SourcePipeline,
  describeDetector,
} from '@symmetra/entropy';
import type {
  ExtractedBlock,
  OutputGate,
  PipelineEvent,
  PipelineOptions,
  SourceDescription,
} from '@symmetra/entropy';
import { ManualClock } from '@symmetra/testing';
import { ScriptedSource, TappedSource, transparentSeed, until } from './faults-source.js';
import type { Script } from './faults-source.js';

const WINDOW = 16_384;
/** 1,224 bits at 0.8 bits a sample, in multiples of 64 samples. */
const BLOCK_SAMPLES = 1536;
const WINDOW_BLOCKS = Math.floor(WINDOW / BLOCK_SAMPLES);
const FAIR = 0.5;
const STUCK = 1;

const fair =
  (bits: number): Script =>
  () =>
    2 ** -bits;
const good = fair(1);

class World {
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

describe('a good source', () => {
  test('qualifies, fills its pool and is read again only when blocks were taken', async () => {
    const world = new World(good);
    world.pipeline.start();
    expect(world.state).toBe('starting');
    await until(() => world.pipeline.availableBlocks === 2 * WINDOW_BLOCKS, 'a full pool');
    expect(world.events).toEqual([{ kind: 'qualified', source: 'scripted' }]);
    const { position } = world.source;
    for (let turn = 0; turn < 50; turn++) await until(() => true, 'a turn');
    expect(world.source.position).toBe(position);
    expect(world.pipeline.status()).toMatchObject({
      state: 'qualified',
      availableBits: 2 * WINDOW_BLOCKS * 1022,
      occupiedBits: 0,
      samples: position,
      windows: position / WINDOW,
      discardedWindows: 0,
      alarms: 0,
    });
    const block = world.pipeline.take();
    expect(block).toMatchObject({ entropyBits: 1022 });
    expect(block?.bytes).toHaveLength(128);
    expect(world.pipeline.status().occupiedBits).toBe(1024);
    await until(() => world.source.position > position, 'another window');
    await world.pipeline.close();
  });

  test('every block comes from samples of its own, in order', async () => {
    const world = new World(good);
    world.pipeline.start();
    const origins = await world.drainUntil(() => world.source.position > 40 * WINDOW, '40 windows');
    const expected = origins.map(
      (_, i) => Math.floor(i / WINDOW_BLOCKS) * WINDOW + (i % WINDOW_BLOCKS) * BLOCK_SAMPLES,
    );
    expect(origins).toEqual(expected);
    expect(origins.length).toBeGreaterThan(30 * WINDOW_BLOCKS);
    await world.pipeline.close();
  });

  test('a window is released only after the quarantine', async () => {
    const world = new World(good, { quarantineWindows: 7, poolBlocks: WINDOW_BLOCKS });
    world.pipeline.start();
    await until(() => world.pipeline.availableBlocks > 0, 'a block');
    expect(world.pipeline.status().windows).toBe(8);
    await world.pipeline.close();
  });

  test('by default the quarantine is as long as the slowest test needs', async () => {
    const world = new World(good, { quarantineWindows: undefined as never, poolBlocks: WINDOW_BLOCKS });
    world.pipeline.start();
    await until(() => world.pipeline.availableBlocks > 0, 'a block');
    // The lag predictor looks at two windows of 2^17 samples.
    expect(world.pipeline.status().windows).toBe(2 ** 18 / WINDOW + 1);
    expect(world.pipeline.status().minEntropy).toBeGreaterThan(0.95);
    await world.pipeline.close();
  });

  test('what claims no min-entropy is extracted and credited nothing', async () => {
    const world = new World(
      fair(8),
      { window: 4096, poolBlocks: 100 },
      { bitsPerSample: 8, minEntropyPerSample: 0, raw: false },
    );
    world.pipeline.start();
    await until(() => world.pipeline.availableBlocks > 0, 'a block');
    expect(world.pipeline.availableBits).toBe(0);
    expect(world.pipeline.blockEntropyBits).toBe(0);
    expect(world.pipeline.take()).toMatchObject({ entropyBits: 0 });
    await world.pipeline.close();
  });
});

describe('alarms', () => {
  test('an intermittent one discards what is unreleased, and the source qualifies again', async () => {
    const fault = 20 * WINDOW + 5000;
    const world = new World((at) => (at >= fault && at < fault + 2000 ? 0.7 : FAIR));
    world.pipeline.start();
    const before = await world.drainUntil(() => world.events.length === 2, 'an alarm');
    expect(world.events[1]).toMatchObject({
      kind: 'quarantined',
      alarm: { test: 'adaptive-proportion', level: 'intermittent' },
    });
    expect(world.events[1]?.alarm?.sample).toBeGreaterThanOrEqual(fault);
    expect(world.events[1]?.alarm?.sample).toBeLessThan(fault + 2000);
    expect(world.state).toBe('requalifying');
    expect(Math.max(...before)).toBeLessThan(16 * WINDOW);
    expect(world.pipeline.status()).toMatchObject({ alarms: 1, discardedWindows: 5 });
    const resumed = world.source.position;
    const after = await world.drainUntil(() => world.source.position > 45 * WINDOW, 'more windows');
    expect(world.events.slice(2)).toEqual([{ kind: 'requalified', source: 'scripted' }]);
    expect(Math.min(...after)).toBeGreaterThanOrEqual(resumed);
    await world.pipeline.close();
  });

  test('intermittent ones in a row, and permanent ones, lead to pauses that grow and then out of service', async () => {
    const world = new World(() => STUCK, {
      recovery: { maxQuarantines: 3, firstPauseMs: 1000, longestPauseMs: 3000 },
    });
    world.pipeline.start();
    for (const pause of [1000, 2000, 3000]) {
      await world.reaches('quarantined');
      world.clock.advance(pause - 1);
      expect(world.state).toBe('quarantined');
      world.clock.advance(1);
      expect(world.state).toBe('requalifying');
    }
    await world.reaches('out-of-service');
    expect(world.events.map(({ kind }) => kind)).toEqual([
      'quarantined',
      'quarantined',
      'quarantined',
      'out-of-service',
    ]);
    expect(world.events[3]?.alarm?.level).toBe('permanent');
    world.clock.advance(1e9);
    expect(world.state).toBe('out-of-service');
    expect(world.clock.pendingTimers).toBe(0);

    world.source.become(good);
    world.pipeline.requalify();
    await world.reaches('qualified');
    expect(world.events.at(-1)).toEqual({ kind: 'requalified', source: 'scripted' });
    await world.pipeline.close();
  });

  test('several intermittent alarms in a row count as a permanent one', async () => {
    const world = new World((at) => (at % WINDOW < 2000 ? 0.67 : FAIR), { recovery: { maxIntermittent: 3 } });
    world.pipeline.start();
    await world.reaches('quarantined');
    expect(world.pipeline.status().alarms).toBe(3);
    expect(world.events.map(({ alarm }) => alarm?.level)).toEqual(Array(3).fill('intermittent'));
    await world.pipeline.close();
  });

  test('failures are forgotten when the source has served for a while', async () => {
    const world = new World(good, { recovery: { maxQuarantines: 1, probationWindows: 10 } });
    world.pipeline.start();
    await world.reaches('qualified');
    for (let faults = 0; faults < 4; faults++) {
      const since = world.source.position;
      await world.drainUntil(() => world.source.position > since + 12 * WINDOW, 'the end of probation');
      world.source.become(() => STUCK);
      await world.drainUntil(() => world.state === 'quarantined', 'quarantine');
      world.source.become(good);
      world.clock.advance(1000);
      await world.reaches('qualified');
    }
    world.source.become(() => STUCK);
    await world.drainUntil(() => world.state === 'out-of-service', 'out of service');
    expect(world.events.filter(({ kind }) => kind === 'quarantined')).toHaveLength(4);
    await world.pipeline.close();
  });

  test('the operator ends a pause', async () => {
    const world = new World((at) => (at < 100 ? STUCK : FAIR));
    world.pipeline.start();
    await world.reaches('quarantined');
    world.pipeline.requalify();
    await world.reaches('qualified');
    expect(world.clock.pendingTimers).toBe(0);
    world.pipeline.requalify();
    expect(world.state).toBe('qualified');
    await world.pipeline.close();
  });
});

describe('errors of the source', () => {
  test('discard what is unreleased; it is read again after pauses that grow, for ever', async () => {
    const world = new World((at) => (at < 10 * WINDOW ? FAIR : 'SOURCE_SILENT'), {
      recovery: { maxQuarantines: 2, firstPauseMs: 1000, longestPauseMs: 4000 },
    });
    world.pipeline.start();
    const origins = await world.drainUntil(() => world.state === 'quarantined', 'quarantine');
    expect(world.events[1]).toEqual({ kind: 'quarantined', source: 'scripted', error: 'SOURCE_SILENT' });
    expect(Math.max(...origins)).toBeLessThan(6 * WINDOW);
    for (const pause of [1000, 2000, 4000, 4000, 4000, 4000]) {
      world.clock.advance(pause - 1);
      expect(world.state).toBe('quarantined');
      world.clock.advance(1);
      expect(world.state).toBe('requalifying');
      await world.reaches('quarantined');
    }
    world.source.become(good);
    world.clock.advance(4000);
    await world.reaches('qualified');
    expect(world.pipeline.status()).toMatchObject({ lastError: 'SOURCE_SILENT', alarms: 0 });
    world.source.become(() => 'SOURCE_SHORT_READ');
    await world.drainUntil(() => world.state === 'quarantined', 'quarantine');
    world.clock.advance(1000);
    expect(world.state).toBe('requalifying');
    await world.pipeline.close();
  });
});

describe('the gate', () => {
  test('a buffer that fails is discarded alone; a second one in a row is an alarm', async () => {
    let checks = 0;
    const failing = new Set([9]);
    const lengths = new Set<number>();
    const gate = (bytes: number): OutputGate => ({
      check: (buffer) => {
        lengths.add(bytes).add(buffer.length);
        return { passed: !failing.has(checks++) };
      },
    });
    const world = new World(good, { gate });
    world.pipeline.start();
    const first = await world.drainUntil(() => checks > 20, '20 windows');
    expect(first.filter((origin) => Math.floor(origin / WINDOW) === 9)).toEqual([]);
    expect(first.filter((origin) => Math.floor(origin / WINDOW) === 10)).toHaveLength(WINDOW_BLOCKS);
    expect(world.pipeline.status()).toMatchObject({ discardedWindows: 1, alarms: 0 });
    failing.add(checks + 1).add(checks + 2);
    await world.drainUntil(() => world.events.length === 2, 'an alarm');
    expect(world.events[1]).toMatchObject({
      kind: 'quarantined',
      alarm: { test: 'gate', level: 'intermittent' },
    });
    expect([...lengths]).toEqual([WINDOW_BLOCKS * 128]);
    await world.pipeline.close();
  });

  test('the windows that a pipeline chooses are long enough for the gate', async () => {
    for (const described of [
      {},
      { minEntropyPerSample: 0.1 },
      { bitsPerSample: 6, minEntropyPerSample: 5.3 },
      { bitsPerSample: 8, minEntropyPerSample: 0, raw: false },
      { bitsPerSample: 8, minEntropyPerSample: 8, raw: false },
    ]) {
      const gate = (bytes: number): OutputGate => new BufferGate({ bytes });
      const options = {
        window: undefined as never,
        quarantineWindows: 1,
        poolBlocks: undefined as never,
        gate,
      };
      const world = new World(fair(described.bitsPerSample ?? 1), options, described);
      world.pipeline.start();
      await until(() => world.pipeline.availableBlocks > 0, 'a block');
      expect(world.pipeline.availableBlocks).toBeGreaterThanOrEqual(32);
      await world.pipeline.close();
    }
  });
});

describe('the audit', () => {
  test('sets windows aside that are tested and never served', async () => {
    const aside: Uint8Array[] = [];
    const world = new World(good, { audit: { every: 4, take: (samples) => aside.push(samples) } });
    world.pipeline.start();
    const origins = await world.drainUntil(() => world.source.position > 30 * WINDOW, '30 windows');
    expect(aside.length).toBeGreaterThanOrEqual(7);
    expect(aside.every((samples) => samples.length === WINDOW)).toBe(true);
    const windows = new Set(origins.map((origin) => Math.floor(origin / WINDOW)));
    expect([...windows].filter((window) => window % 4 === 3)).toEqual([]);
    expect(windows.size).toBeGreaterThan(15);
    await world.pipeline.close();
    expect(aside.every((samples) => samples.includes(1))).toBe(true);
  });
});

describe('the test on demand', () => {
  test('takes fresh samples that nobody gets, and has the consequences of any other', async () => {
    const world = new World(good);
    world.pipeline.start();
    await world.reaches('qualified');
    await until(() => world.pipeline.availableBlocks === 2 * WINDOW_BLOCKS, 'a full pool');
    const { position } = world.source;
    expect(await world.pipeline.onDemandTest()).toBeUndefined();
    expect(world.source.position).toBe(position + 1024);
    world.source.become(() => STUCK);
    const alarm = await world.pipeline.onDemandTest();
    expect(alarm).toMatchObject({ test: 'repetition-count', level: 'permanent' });
    expect(world.state).toBe('quarantined');
    world.source.become(() => 'SOURCE_UNREACHABLE');
    await expect(world.pipeline.onDemandTest()).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE' });
    await world.pipeline.close();
  });
});

describe('a detector under its monitor', () => {
  test.each([
    ['beam splitter', BEAM_SPLITTER_SETUP],
    ['arrival time', ARRIVAL_TIME_SETUP],
  ])('%s: serves, through a test on demand as well', async (_, setup) => {
    const detector = new SimulatedDetector(setup, new Uint8Array(32).fill(9));
    const events: PipelineEvent[] = [];
    const pipeline = new SourcePipeline(
      {
        description: describeDetector('detector', setup),
        read: async (count) => detector.read(count),
        close: async () => undefined,
      },
      {
        random: transparentSeed,
        clock: new ManualClock(),
        monitors: [new DetectorMonitor(setup)],
        onEvent: (event) => events.push(event),
      },
    );
    pipeline.start();
    const taken: ExtractedBlock[] = [];
    for (let round = 0; round < 4; round++) {
      const { windows } = pipeline.status();
      await until(() => {
        for (let block = pipeline.take(); block; block = pipeline.take()) taken.push(block);
        return pipeline.status().windows > windows + 2;
      }, 'two windows');
      expect(await pipeline.onDemandTest()).toBeUndefined();
    }
    expect(events).toEqual([{ kind: 'qualified', source: 'detector' }]);
    expect(taken.length).toBeGreaterThan(0);
    await pipeline.close();
  });
});

describe('closing', () => {
  test('ends a read that hangs, zeroes the pool and closes the source, once or twice', async () => {
    const world = new World(good);
    world.pipeline.start();
    await until(() => world.pipeline.availableBlocks === 2 * WINDOW_BLOCKS, 'a full pool');
    const hanging = world.tap;
    hanging.read = async () => new Promise<never>(() => {});
    const demanded = world.pipeline.onDemandTest();
    const waiting = world.pipeline.onDemandTest();
    await Promise.all([
      expect(demanded).rejects.toMatchObject({ code: 'PIPELINE_CLOSED' }),
      expect(waiting).rejects.toMatchObject({ code: 'PIPELINE_CLOSED' }),
      world.pipeline.close(),
    ]);
    await world.pipeline.close();
    expect(world.source.closed).toBe(true);
    expect(world.state).toBe('closed');
    expect(world.pipeline.take()).toBeUndefined();
    expect(world.clock.pendingTimers).toBe(0);
    await expect(world.pipeline.onDemandTest()).rejects.toMatchObject({ code: 'PIPELINE_CLOSED' });
  });

  test('nothing that was read, or thrown away, stays behind', async () => {
    const buffers: Uint8Array[] = [];
    const gate = (): OutputGate => ({
      check: (buffer) => {
        buffers.push(buffer);
        return { passed: buffers.length % 5 !== 0 };
      },
    });
    const world = new World((at) => (at < 12 * WINDOW ? FAIR : STUCK), { gate });
    const read = world.tap.read.bind(world.tap);
    world.tap.read = async (count, signal) => {
      const block = await read(count, signal);
      buffers.push(block.samples);
      return block;
    };
    world.pipeline.start();
    await world.drainUntil(() => world.state === 'quarantined', 'quarantine');
    expect(buffers.length).toBeGreaterThan(20);
    expect(buffers.every((buffer) => buffer.every((byte) => byte === 0))).toBe(true);
    await world.pipeline.close();
  });

  test('a pipeline that was never started closes its source, too', async () => {
    const world = new World(good);
    await world.pipeline.close();
    expect(world.source.closed).toBe(true);
    world.pipeline.start();
    expect(world.source.position).toBe(0);
  });
});

describe('options', () => {
  test.each([
    ['window', { window: 100 }],
    ['window', { window: 2 ** 21 }],
    ['quarantineWindows', { quarantineWindows: 0 }],
    ['poolBlocks', { poolBlocks: 1 }],
    ['maxIntermittent', { recovery: { maxIntermittent: 0.5 } }],
    ['audit.every', { audit: { every: 1, take: () => undefined } }],
  ])('%s out of its range is refused', (option, options) => {
    expect(() => new World(good, options)).toThrow(
      expect.objectContaining({ code: 'PIPELINE_OPTIONS', details: expect.objectContaining({ option }) }),
    );
  });

  test('a claim on which no test can be built is refused', () => {
    expect(() => new World(good, {}, { minEntropyPerSample: 0.001 })).toThrow(
      expect.objectContaining({ code: 'HEALTH_CUTOFF' }),
    );
    expect(() => new World(good, {}, { bitsPerSample: 8, minEntropyPerSample: 0.14 })).toThrow(
      expect.objectContaining({ code: 'EXTRACTOR_SIZE' }),
    );
  });
});
