import { describe, expect, test } from 'vitest';
import { transparentSeed, until } from './faults-source.js';
import { BLOCK_SAMPLES, FAIR, STUCK, WINDOW, WINDOW_BLOCKS, World, fair, good } from './pipeline-world.js';

/** SP 800-90B, 4.3. */
const START_UP_SAMPLES = 1024;

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
      availableBits: 2 * WINDOW_BLOCKS * 921,
      occupiedBits: 0,
      samples: position,
      windows: position / WINDOW,
      discardedWindows: 0,
      alarms: 0,
    });
    const block = world.pipeline.take();
    expect(block).toMatchObject({ entropyBits: 921 });
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

  test('is served only after the start-up test, however short its windows are', async () => {
    const bytes = { bitsPerSample: 8, minEntropyPerSample: 8, raw: false };
    const short = { window: 192, quarantineWindows: 1, poolBlocks: 4 };
    const world = new World(fair(8), short, bytes);
    world.pipeline.start();
    await until(() => world.pipeline.availableBlocks > 0, 'a block');
    expect(world.pipeline.status().samples).toBeGreaterThanOrEqual(START_UP_SAMPLES);
    await world.pipeline.close();
    expect(() => new World(fair(8), { ...short, recovery: { qualifyingWindows: 5 } }, bytes)).toThrow(
      expect.objectContaining({
        code: 'PIPELINE_OPTIONS',
        details: { option: 'qualifyingWindows', value: 5, least: 6 },
      }),
    );
  });

  test.each([
    ['what claims no min-entropy', { minEntropyPerSample: 0 }],
    ['what is not physical', { minEntropyPerSample: 8, physical: false, quantum: false, simulated: false }],
  ])('%s is extracted and credited nothing', async (_what, claim) => {
    const world = new World(
      fair(8),
      { window: 4096, poolBlocks: 100 },
      { bitsPerSample: 8, raw: false, ...claim },
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

  test('the source serves again after as many clean windows as at the start, under another seed of the extractor', async () => {
    const marks: [kind: string, windows: number, seeds: number][] = [];
    let seeds = 0;
    const world = new World(good, {
      random: (length) => {
        seeds++;
        return transparentSeed(length);
      },
      recovery: { qualifyingWindows: 7 },
      onEvent: ({ kind }) => {
        marks.push([kind, world.pipeline.status().windows, seeds]);
        world.source.become(good);
      },
    });
    world.pipeline.start();
    await world.reaches('qualified');
    world.source.become((at) => (at % WINDOW < 2000 ? 0.67 : FAIR));
    await world.drainUntil(() => marks.length === 3, 'an alarm and its end');
    const failed = marks[1]?.[1] ?? 0;
    expect(marks).toEqual([
      ['qualified', 7, 1],
      ['quarantined', failed, 2],
      ['requalified', failed + 7, 2],
    ]);
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

  test('failures are not forgotten before that', async () => {
    const world = new World(good, { recovery: { maxQuarantines: 1, probationWindows: 100 } });
    world.pipeline.start();
    await world.reaches('qualified');
    for (const end of ['quarantined', 'out-of-service']) {
      const since = world.source.position;
      await world.drainUntil(() => world.source.position > since + 12 * WINDOW, 'some windows');
      world.source.become(() => STUCK);
      await world.drainUntil(() => world.state === end, end);
      world.source.become(good);
      world.clock.advance(1000);
      if (end === 'quarantined') await world.reaches('qualified');
    }
    const kinds = world.events.map(({ kind }) => kind);
    expect(kinds).toEqual(['qualified', 'quarantined', 'requalified', 'out-of-service']);
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
  test.each([
    ['fewer', -1],
    ['more', 1],
  ])('it gives %s samples than it was asked for: nothing is extracted', async (_what, change) => {
    const world = new World(good);
    const { read } = world.source;
    world.source.read = async (count, signal) => read.call(world.source, count + change, signal);
    world.pipeline.start();
    await world.reaches('quarantined');
    expect(world.events).toEqual([
      {
        kind: 'quarantined',
        source: 'scripted',
        error: change < 0 ? 'SOURCE_SHORT_READ' : 'SOURCE_BAD_PAYLOAD',
      },
    ]);
    expect(world.pipeline.status()).toMatchObject({ windows: 0, alarms: 0, availableBits: 0 });
    await world.pipeline.close();
  });

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
