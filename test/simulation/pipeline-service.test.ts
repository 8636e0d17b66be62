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
import type { ExtractedBlock, OutputGate, PipelineEvent } from '@symmetra/entropy';
import { ManualClock } from '@symmetra/testing';
import { transparentSeed, until } from './faults-source.js';
import { FAIR, STUCK, WINDOW, WINDOW_BLOCKS, World, fair, good } from './pipeline-world.js';

describe('a defect of the program', () => {
  test('is quarantined as an error of the source is, and told with what was thrown', async () => {
    const defect = new TypeError('undefined is not a function');
    const events: PipelineEvent[] = [];
    const description = describeDetector('detector', BEAM_SPLITTER_SETUP);
    const pipeline = new SourcePipeline(
      {
        description,
        read: async () => {
          throw defect;
        },
        close: async () => undefined,
      },
      { random: transparentSeed, clock: new ManualClock(), onEvent: (event) => events.push(event) },
    );
    pipeline.start();
    await until(() => events.length > 0, 'an event');
    expect(events).toEqual([{ kind: 'quarantined', source: 'detector', error: 'UNKNOWN', defect }]);
    expect(pipeline.status()).toMatchObject({ state: 'quarantined', lastError: 'UNKNOWN' });
    await pipeline.close();
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

describe('the pool', () => {
  test('of itself always fills up to 256 blocks again, however many a window gives', async () => {
    const world = new World(
      fair(8),
      { window: undefined as never, quarantineWindows: 1, poolBlocks: undefined as never },
      { bitsPerSample: 8, minEntropyPerSample: 8 },
    );
    world.pipeline.start();
    for (let round = 0; round < 5; round++) {
      await until(() => world.pipeline.availableBlocks >= 256, '256 blocks');
      for (let taken = 0; taken < 100; taken++) expect(world.pipeline.take()).toBeDefined();
    }
    await world.pipeline.close();
  });
});

describe('the audit', () => {
  test('sets windows aside that are tested and never served', async () => {
    const aside: Uint8Array[] = [];
    const world = new World(good, {
      audit: { wants: (window) => window % 4 === 3, take: (samples) => aside.push(samples) },
    });
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
    const buffers: (Uint8Array | Uint32Array)[] = [];
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
      // Clicks tell all that their samples do.
      const clicks = {
        intervals: new Uint32Array(count).fill(9),
        detectors: block.samples.slice(),
        tickPs: 1000,
      };
      buffers.push(block.samples, clicks.intervals, clicks.detectors);
      return { ...block, clicks };
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
