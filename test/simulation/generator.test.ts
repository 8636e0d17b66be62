import { setImmediate } from 'node:timers/promises';
import { RandomBitGenerator } from '@symmetra/entropy';
import type { GeneratorEvent, NodeRandomness, RandomBytes } from '@symmetra/entropy';
import { ManualClock, Prng } from '@symmetra/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { ScriptedSource } from './scripted-source.js';

const SEED_BYTES = 48;
/** A drbg tier gives so much for one seed. */
const STRETCH_BYTES = 2 ** 14;
const never = new AbortController().signal;

/** The operating system's bytes in these tests: worthless, so that nothing rests on them. */
const zeros: RandomBytes = (length) => new Uint8Array(length);

const opened: RandomBitGenerator[] = [];
afterEach(async () => {
  for (const generator of opened.splice(0)) await generator.close();
});

function open(
  credits: readonly number[],
  os = zeros,
  onEvent: (event: GeneratorEvent) => void = () => undefined,
) {
  const events: GeneratorEvent[] = [];
  const clock = new ManualClock();
  let sources: readonly ScriptedSource[] = [];
  const generator = new RandomBitGenerator({
    open: (notify) => {
      sources = credits.map((credit, i) => new ScriptedSource(`source-${i}`, i + 1, notify, credit));
      return sources;
    },
    os,
    clock,
    onEvent: (event) => {
      events.push(event);
      onEvent(event);
    },
  });
  opened.push(generator);
  const [first, second] = sources as [ScriptedSource, ScriptedSource];
  return { generator, events, clock, sources, first, second };
}

const codeOf = (work: () => unknown): string => {
  try {
    work();
    return 'none';
  } catch (error) {
    return (error as { code: string }).code;
  }
};
const kinds = (events: readonly GeneratorEvent[]): readonly string[] => events.map(({ kind }) => kind);
/** What a pending microtask of the generator may still do. */
const settled = async (): Promise<void> => setImmediate();

describe('without a good source', () => {
  test('nothing is given before the first one qualifies', () => {
    const { generator } = open([1022]);
    expect(generator.status().state).toBe('starting');
    expect(codeOf(() => generator.full(1))).toBe('ENTROPY_SHORT');
    expect(codeOf(() => generator.drbg())).toBe('ENTROPY_EXHAUSTED');
    expect(generator.status().ledger.refusals).toBe(2);
  });

  test('full stops at once, drbg goes on to its limit, and new keys are refused', () => {
    const { generator, events, first } = open([1022]);
    first.qualify(8);
    const drbg = generator.drbg();
    drbg.bytes(32);
    drbg.requireEntropy();
    first.fail();
    expect(generator.status()).toMatchObject({ state: 'exhausted', availableSeeds: 0 });
    expect(codeOf(() => drbg.requireEntropy())).toBe('ENTROPY_EXHAUSTED');
    expect(codeOf(() => generator.full(1))).toBe('ENTROPY_SHORT');
    expect(drbg.bytes(STRETCH_BYTES - 32)).toHaveLength(STRETCH_BYTES - 32);
    expect(codeOf(() => drbg.bytes(1))).toBe('ENTROPY_EXHAUSTED');
    expect(kinds(events)).toEqual(['qualified', 'ready', 'quarantined', 'exhausted']);
    first.qualify(0);
    drbg.requireEntropy();
    expect(drbg.bytes(1)).toHaveLength(1);
    expect(kinds(events).slice(4)).toEqual(['requalified', 'restored']);
  });

  test('one that is never credited does not count', () => {
    const { generator, first } = open([0]);
    first.qualify(100);
    expect(generator.status()).toMatchObject({ state: 'starting', availableSeeds: 0 });
    expect(codeOf(() => generator.drbg())).toBe('ENTROPY_EXHAUSTED');
  });

  test('waiting for one ends when all are out of service, or when it is aborted', async () => {
    const { generator, clock, first } = open([1022]);
    const waiting = generator.untilAvailable(1, never).catch((error: unknown) => error);
    first.fail('out-of-service');
    clock.advance(100);
    expect(await waiting).toMatchObject({ code: 'ENTROPY_NOT_READY' });
    const stop = new AbortController();
    const other = open([1022]);
    const aborted = other.generator.untilAvailable(1, stop.signal).catch((error: unknown) => error);
    const enough = new Error('enough');
    stop.abort(enough);
    expect(await aborted).toBe(enough);
  });
});

describe('whoever hears of an event', () => {
  test('finds the generator as it is after it', () => {
    const heard: string[] = [];
    const drbgs: NodeRandomness[] = [];
    const { generator, first } = open([1022], zeros, ({ kind }) => {
      const allowed = codeOf(() => drbgs[0]?.requireEntropy());
      heard.push(`${kind}: ${generator.status().state}, ${allowed}`);
    });
    first.qualify(8);
    drbgs.push(generator.drbg());
    first.fail();
    first.qualify(1);
    expect(heard).toEqual([
      'qualified: ready, none',
      'ready: ready, none',
      'quarantined: exhausted, ENTROPY_EXHAUSTED',
      'exhausted: exhausted, ENTROPY_EXHAUSTED',
      'requalified: ready, none',
      'restored: ready, none',
    ]);
  });
});

describe('a wait for entropy', () => {
  test('ends when none is left but sources that are never credited', async () => {
    const { generator, clock, first, second } = open([1022, 0]);
    second.qualify(100);
    const waiting = generator.untilAvailable(1, AbortSignal.timeout(10_000)).catch((error: unknown) => error);
    first.fail('out-of-service');
    clock.advance(100);
    expect(await waiting).toMatchObject({ code: 'ENTROPY_NOT_READY' });
  });

  test('counts what a draw just before it still sets aside', async () => {
    const { generator, clock, first } = open([1022]);
    first.qualify(10);
    generator.full(1);
    const { availableSeeds } = generator.status();
    const found = generator
      .untilAvailable(availableSeeds, AbortSignal.timeout(10_000))
      .then(() => generator.status().availableSeeds);
    await settled();
    first.qualify(1);
    clock.advance(100);
    expect(await found).toBe(availableSeeds);
  });

  test('ends when the generator is closed, which makes no keys from then on', async () => {
    const { generator, clock, first } = open([1022]);
    first.qualify(1);
    const { requireEntropy } = generator.drbg();
    requireEntropy();
    const waiting = generator.untilAvailable(9, AbortSignal.timeout(10_000)).catch((error: unknown) => error);
    await generator.close();
    clock.advance(100);
    expect(await waiting).toMatchObject({ code: 'ENTROPY_NOT_READY' });
    expect(codeOf(requireEntropy)).toBe('ENTROPY_EXHAUSTED');
  });
});

describe('several sources', () => {
  test('no request fails while one good source is left, whichever fails', () => {
    const { generator, sources } = open([1022, 1022, 1022]);
    for (const source of sources) source.qualify(50);
    const drbg = generator.drbg();
    for (let round = 0; round < 9; round++) {
      const failing = sources[round % sources.length];
      const others = sources.filter((source) => source !== failing);
      for (const source of others) source.qualify(4);
      failing?.fail();
      expect(drbg.bytes(2 * STRETCH_BYTES)).toHaveLength(2 * STRETCH_BYTES);
      expect(generator.full(SEED_BYTES)).toHaveLength(SEED_BYTES);
      drbg.requireEntropy();
      failing?.qualify(0);
    }
    expect(generator.status().ledger.refusals).toBe(0);
  });

  test('the least occupied one serves', async () => {
    const { generator, first, second } = open([1022, 1022]);
    first.qualify(10);
    second.qualify(100);
    // Each takes a block for what it adds to the seeds of the other.
    generator.full(SEED_BYTES);
    await settled();
    const before = { first: first.taken.length, second: second.taken.length };
    generator.full(40 * SEED_BYTES);
    expect(first.taken.length).toBe(before.first);
    expect(second.taken.length).toBeGreaterThan(before.second);
    generator.full(160 * SEED_BYTES);
    expect(first.taken.length).toBeGreaterThan(before.first);
  });

  test('each seed depends on every healthy source and on the operating system', async () => {
    const draw = async (change: 'nothing' | 'os' | 'second'): Promise<string> => {
      const os: RandomBytes = (length) => new Uint8Array(length).fill(change === 'os' ? 1 : 0);
      const { generator, first, second } = open([1022, 0], os);
      first.qualify(10);
      second.qualify(10);
      if (change === 'second') second.take();
      generator.full(1);
      await settled();
      return Buffer.from(generator.full(SEED_BYTES)).toString('hex');
    };
    const plain = await draw('nothing');
    expect(await draw('nothing')).toBe(plain);
    expect(await draw('os')).not.toBe(plain);
    expect(await draw('second')).not.toBe(plain);
  });

  test('what the others add to a seed is not credited', async () => {
    const { generator, first, second } = open([1022, 600]);
    for (const source of [first, second]) source.qualify(10);
    generator.full(1);
    await settled();
    const before = second.taken.length;
    expect(before).toBe(1);
    generator.full(SEED_BYTES);
    // Three seeds, each of one half of a block of the first source.
    expect(generator.status().ledger.creditedBits).toBe(3 * 511);
    expect(second.taken.length).toBe(before);
  });

  test('what rests on a simulated source is counted apart', () => {
    const { generator, first, second } = open([1022, 1022]);
    Object.assign(second, { description: { ...second.description, simulated: false } });
    first.qualify(10);
    generator.full(1);
    expect(generator.status().ledger).toMatchObject({ creditedBits: 2 * 511, simulatedBits: 2 * 511 });
    first.fail();
    second.qualify(10);
    generator.full(SEED_BYTES);
    expect(generator.status().ledger).toMatchObject({ creditedBits: 3 * 511, simulatedBits: 2 * 511 });
  });

  test('what the others add is used once: each block lasts for four seeds', async () => {
    const { generator, first, second } = open([1022, 600]);
    for (const source of [first, second]) source.qualify(20);
    generator.full(1);
    await settled();
    for (const taken of [1, 1, 1, 2, 2]) {
      generator.full(SEED_BYTES);
      await settled();
      expect(second.taken.length).toBe(taken);
    }
  });

  test('a seed of a source with little credit takes as much more of it', () => {
    const { generator, first } = open([300]);
    first.qualify(6);
    // 448 bits take three halves of 150 bits.
    expect(generator.status().availableSeeds).toBe(4);
    generator.full(2 * SEED_BYTES);
    expect(generator.status().ledger.creditedBits).toBe(3 * 3 * 150);
    expect(codeOf(() => generator.full(2 * SEED_BYTES))).toBe('ENTROPY_SHORT');
  });
});

test('a generator that is closed gives nothing more, nor do those of its nodes', async () => {
  const { generator, first } = open([1022]);
  first.qualify(10);
  const drbg = generator.drbg();
  drbg.bytes(1);
  await generator.close();
  expect(codeOf(() => drbg.bytes(1))).toBe('ENTROPY_TIER_WIPED');
  expect(codeOf(() => generator.full(1))).toBe('ENTROPY_TIER_WIPED');
});

describe('a refused request', () => {
  test('takes nothing', () => {
    const { generator, first } = open([1022]);
    first.qualify(3);
    const { availableSeeds } = generator.status();
    expect(availableSeeds).toBe(6);
    expect(codeOf(() => generator.full(6 * SEED_BYTES))).toBe('ENTROPY_SHORT');
    expect(generator.status().availableSeeds).toBe(6);
    expect(generator.full(5 * SEED_BYTES)).toHaveLength(5 * SEED_BYTES);
    expect(generator.status()).toMatchObject({ availableSeeds: 0, ledger: { fullBits: 5 * SEED_BYTES * 8 } });
  });
});

describe('in any order of failures, draws and refills', () => {
  test.each(Array.from({ length: 200 }, (_, seed) => seed))('seed %i', async (seed) => {
    const prng = new Prng(`generator/${seed}`);
    const { generator, events, sources } = open([1022, 600, 0]);
    const tiers: { readonly bytes: RandomBytes }[] = [];
    let refused = 0;
    const attempt = (work: () => unknown): void => {
      const code = codeOf(work);
      if (code !== 'none') refused += 1;
      expect(['none', 'ENTROPY_SHORT', 'ENTROPY_EXHAUSTED']).toContain(code);
    };
    for (let step = 0; step < 60; step++) {
      const source = sources[prng.below(sources.length)];
      const before = generator.status();
      switch (prng.below(5)) {
        case 0:
          source?.qualify(prng.below(6));
          break;
        case 1:
          source?.fail();
          break;
        case 2:
          attempt(() => generator.full(1 + prng.below(6 * SEED_BYTES)));
          break;
        case 3:
          attempt(() => tiers.push(generator.drbg()));
          break;
        default:
          attempt(() => tiers.at(-1)?.bytes(1 + prng.below(3 * STRETCH_BYTES)));
          await settled();
      }
      const { state, availableSeeds, ledger } = generator.status();
      const good = sources.some((one) => one.blockEntropyBits > 0 && one.status().state === 'qualified');
      expect(state === 'ready').toBe(good);
      if (!good) expect(availableSeeds).toBe(0);
      expect(ledger.fullBits).toBeGreaterThanOrEqual(before.ledger.fullBits);
      // Every seed that left rests on 448 credited bits or more.
      expect(ledger.fullBits / (SEED_BYTES * 8)).toBeLessThanOrEqual(ledger.creditedBits / 448);
    }
    expect(generator.status().ledger.refusals).toBe(refused);
    const turns = kinds(events).filter((kind) => kind === 'exhausted' || kind === 'restored');
    expect(turns.every((kind, i) => kind === (i % 2 === 0 ? 'exhausted' : 'restored'))).toBe(true);
    await generator.close();
    expect(sources.every(({ closed }) => closed)).toBe(true);
  });
});
