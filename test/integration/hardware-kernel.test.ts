import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { SymmetraError } from '@symmetra/crypto';
import { feedKernel, osRandom } from '@symmetra/entropy';
import type { DrawRandom, KernelFed, KernelFeedOptions } from '@symmetra/entropy';
import { KERNEL_MAX_BYTES, KernelPool } from '@symmetra/hardware';
import { systemClock } from '@symmetra/runtime';
import { isSkipped } from '@symmetra/testing';
import { describe, expect, test } from 'vitest';
import { codeOf } from '../contract/noise-source-suite.js';
import { mayFeedKernel } from './hardware-programs.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const isPowerful = mayFeedKernel();
const isLinux = process.platform === 'linux';
const os = osRandom().bytes;

test('this process may feed the kernel', (context) => {
  context.skip(
    isSkipped(isPowerful),
    'without CAP_SYS_ADMIN on Linux only the refusal of the kernel is tested',
  );
  expect(isPowerful).toBe(true);
});

describe.skipIf(!isPowerful)("the kernel's pool", () => {
  test('takes bytes and seeds its generator anew', async () => {
    const pool = await KernelPool.open();
    pool.add(os(64), 0);
    pool.add(os(KERNEL_MAX_BYTES), 0);
    pool.add(os(1), 8);
    expect(pool.reseed()).toBe(true);
    expect(pool.entropyCount()).toBeGreaterThan(0);
    await pool.close();
  });

  test('refuses what is no feed', async () => {
    const pool = await KernelPool.open();
    const feeds: [number, number][] = [
      [0, 0],
      [KERNEL_MAX_BYTES + 1, 0],
      [4, 33],
      [4, -1],
      [4, 0.5],
    ];
    for (const [length, credit] of feeds) {
      expect(await codeOf((async () => pool.add(new Uint8Array(length), credit))())).toBe('KERNEL_FEED_SIZE');
    }
    await pool.close();
  });
});

/** A feed that notes what it gave, drew and skipped. */
class Notes {
  readonly fed: KernelFed[] = [];
  readonly drawn: Uint8Array[] = [];
  readonly skipped: unknown[] = [];
  readonly ended = new AbortController();
  readonly #enough: number;

  /** @param enough times after which the feed ends. */
  constructor(enough: number) {
    this.#enough = enough;
  }

  options(draw: DrawRandom, more: Partial<KernelFeedOptions> = {}): KernelFeedOptions {
    return {
      draw: async (length) => {
        const bytes = await draw(length);
        this.drawn.push(bytes);
        return bytes;
      },
      clock: systemClock,
      signal: this.ended.signal,
      bytes: 48,
      onFed: (fed) => this.#note(this.fed, fed),
      onSkipped: (error) => this.#note(this.skipped, error),
      ...more,
    };
  }

  #note<Item>(list: Item[], item: Item): void {
    list.push(item);
    if (this.fed.length + this.skipped.length >= this.#enough) this.ended.abort();
  }
}

const draw: DrawRandom = async (length) => os(length);
const failing: DrawRandom = async () => {
  throw new SymmetraError('ENTROPY_EXHAUSTED', 'no entropy is left');
};

describe.skipIf(!isPowerful)('the feed of the kernel', () => {
  test('gives the bytes once, counts nothing for them, and wipes them', async () => {
    const notes = new Notes(2);
    await feedKernel(notes.options(draw));
    expect(notes.fed).toMatchObject([{ bytes: 48, creditBits: 0, reseeded: true }]);
    expect(notes.fed[0]?.entropyCount).toBeGreaterThan(0);
    expect(notes.drawn).toEqual([new Uint8Array(48)]);
  });

  test('counts what it is told to count', async () => {
    const notes = new Notes(2);
    await feedKernel(notes.options(draw, { creditBits: 384 }));
    expect(notes.fed).toMatchObject([{ bytes: 48, creditBits: 384 }]);
    expect(await codeOf(feedKernel(notes.options(draw, { creditBits: 385 })))).toBe('KERNEL_FEED_SIZE');
    expect(notes.drawn).toEqual([new Uint8Array(48), new Uint8Array(48)]);
  });

  test('goes on in intervals until it is told to end', async () => {
    const notes = new Notes(4);
    await feedKernel(notes.options(draw, { intervalMs: 1 }));
    expect(notes.fed).toHaveLength(4);
    expect(notes.skipped).toEqual([]);
  });

  test('leaves out a time when there is nothing to draw, and fails when it is the only one', async () => {
    const notes = new Notes(3);
    let turns = 0;
    const sometimes: DrawRandom = async (length) => (++turns === 2 ? failing(length) : draw(length));
    await feedKernel(notes.options(sometimes, { intervalMs: 1 }));
    expect(notes.fed).toHaveLength(2);
    expect(notes.skipped).toMatchObject([{ code: 'ENTROPY_EXHAUSTED' }]);
    expect(await codeOf(feedKernel(new Notes(1).options(failing)))).toBe('ENTROPY_EXHAUSTED');
  });

  test('ends while it waits for random bytes', async () => {
    const notes = new Notes(1);
    const feed = feedKernel(notes.options(async () => Promise.race<never>([])));
    notes.ended.abort();
    await feed;
    expect(notes.fed).toEqual([]);
  });
});

/** Feeds the kernel, prints the code of the failure. */
const PROGRAM = `
  import { KernelPool } from '@symmetra/hardware';
  const pool = await KernelPool.open();
  for (const call of [() => pool.add(new Uint8Array(8), 0), () => pool.reseed()]) {
    try { call(); console.log('none'); } catch (error) { console.log(error.code); }
  }
  console.log(pool.entropyCount());
`;

test.skipIf(!isLinux)('without CAP_SYS_ADMIN the kernel refuses, and still tells its count', async () => {
  const node = [process.execPath, '--conditions=@symmetra/source', '--import', 'tsx'];
  const powerless = isPowerful ? ['setpriv', '--bounding-set', '-sys_admin', ...node] : node;
  const [program, ...args] = [...powerless, '--input-type=module', '--eval', PROGRAM];
  const { stdout } = await promisify(execFile)(program, args, { cwd: root });
  const [add, reseed, count] = stdout.trim().split('\n');
  expect([add, reseed]).toEqual(['KERNEL_FEED_DENIED', 'KERNEL_FEED_DENIED']);
  expect(Number(count)).toBeGreaterThan(0);
});
