import { spawnSync } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { lstat, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { SymmetraError } from '@symmetra/crypto';
import { osRandom } from '@symmetra/entropy';
import type { DrawRandom } from '@symmetra/entropy';
import { createLogger, systemClock } from '@symmetra/runtime';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runFeed } from '../../packages/cli/src/entropy/feed.js';
import type { FeedOptions } from '../../packages/cli/src/entropy/feed.js';
import { Invocation } from '../../packages/cli/src/invocation.js';
import { Output } from '../../packages/cli/src/output.js';
import { codeOf } from '../contract/noise-source-suite.js';
import { Bench, programArgs, refusal, reply, symmetra } from './cli-program.js';
import { mayFeedKernel } from './hardware-programs.js';

const draw: DrawRandom = async (length) => osRandom().bytes(length);

/** One run of the command, with what it printed. */
class Run {
  readonly invocation: Invocation;
  readonly ended: Promise<void>;
  readonly #waiting = new Set<() => void>();
  #out = '';
  #err = '';

  constructor(options: FeedOptions, from: DrawRandom = draw, json = true) {
    const note = (): void => {
      for (const resolve of this.#waiting) resolve();
      this.#waiting.clear();
    };
    const out = {
      write: (text: string) => {
        this.#out += text;
        note();
      },
    };
    const err = {
      write: (text: string) => {
        this.#err += text;
        note();
      },
    };
    const logger = createLogger({ level: 'silent', clock: systemClock });
    this.invocation = new Invocation(new Output(json, out, err), systemClock, logger);
    this.ended = runFeed(this.invocation, options, async () => from);
    this.ended.catch(note);
  }

  /** Fulfilled when so many lines were printed. */
  async lines(count: number): Promise<Record<string, unknown>[]> {
    for (;;) {
      const lines = `${this.#out}${this.#err}`.split('\n').slice(0, -1);
      if (lines.length >= count) return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
      await new Promise<void>((resolve) => {
        this.#waiting.add(resolve);
      });
    }
  }

  get text(): string {
    return this.#out;
  }
}

describe('symmetra entropy feed', () => {
  test.each<[string, FeedOptions]>([
    ['neither target', {}],
    ['both targets', { fifo: 'random', kernel: true }],
    ['bytes for a FIFO', { fifo: 'random', bytes: 64 }],
    ['an interval for a FIFO', { fifo: 'random', interval: 1000 }],
    ['a FIFO once', { fifo: 'random', once: true }],
    ['credit for a FIFO', { fifo: 'random', creditBits: 0 }],
    ['once in intervals', { kernel: true, once: true, interval: 1000 }],
    ['credit for the noise of a simulator', { kernel: true, bytes: 8, creditBits: 1 }],
    ['more credit than bits', { kernel: true, bytes: 8, creditBits: 65 }],
  ])('refuses %s', async (_, options) => {
    expect(await codeOf(new Run(options).ended)).toBe('USAGE');
  });

  describe.skipIf(process.platform === 'win32')('--fifo', () => {
    let folder: string;
    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'symmetra-feed-'));
    });
    afterEach(async () => rm(folder, { recursive: true }));

    test('serves readers until it is interrupted, and removes the FIFO', async () => {
      const fifo = join(folder, 'random');
      const run = new Run({ fifo });
      expect(await run.lines(1)).toEqual([{ event: 'ready', fifo, made: true }]);
      expect(await buffer(createReadStream(fifo, { end: 9999 }))).toHaveLength(10_000);
      const [, reader, gone] = await run.lines(3);
      expect(reader).toEqual({ event: 'reader' });
      expect(gone).toMatchObject({ event: 'reader-gone' });
      expect(gone?.['bytes']).toBeGreaterThanOrEqual(10_000);
      run.invocation.interrupt();
      await run.ended;
      expect(await lstat(fifo).catch(() => 'removed')).toBe('removed');
      expect(await run.invocation.end()).toEqual([]);
    });

    test('removes the FIFO when the process ends otherwise', async () => {
      const fifo = join(folder, 'random');
      const run = new Run({ fifo });
      await run.lines(1);
      expect(await run.invocation.end()).toEqual([]);
      expect(await lstat(fifo).catch(() => 'removed')).toBe('removed');
    });
  });

  describe('--kernel', () => {
    describe.skipIf(!mayFeedKernel())('with CAP_SYS_ADMIN', () => {
      test('feeds once', async () => {
        const run = new Run({ kernel: true, once: true, bytes: 100 });
        await run.ended;
        const [fed, ...more] = await run.lines(1);
        expect(fed).toMatchObject({ event: 'fed', bytes: 100, creditBits: 0, reseeded: true });
        expect(more).toEqual([]);
        expect(run.invocation.staysUp).toBe(false);
      });

      test('says it in a sentence', async () => {
        const run = new Run({ kernel: true, once: true }, draw, false);
        await run.ended;
        expect(run.text).toBe('gave the kernel 64 bytes; its generator took new seeds\n');
      });

      test('feeds in intervals until it is interrupted, and warns of a time that it left out', async () => {
        let turns = 0;
        const sometimes: DrawRandom = async (length) => {
          if (++turns === 2) throw new SymmetraError('ENTROPY_EXHAUSTED', 'no entropy is left');
          return draw(length);
        };
        const run = new Run({ kernel: true, interval: 1 }, sometimes);
        const lines = await run.lines(3);
        run.invocation.interrupt();
        await run.ended;
        expect(run.invocation.staysUp).toBe(true);
        expect(lines).toContainEqual({
          warning: { code: 'ENTROPY_EXHAUSTED', message: 'no entropy is left' },
        });
        expect(lines.filter(({ event }) => event === 'fed').length).toBeGreaterThanOrEqual(2);
      });

      test('fails when there is nothing to draw for the one time', async () => {
        const nothing: DrawRandom = async () => {
          throw new SymmetraError('ENTROPY_EXHAUSTED', 'no entropy is left');
        };
        const run = new Run({ kernel: true, once: true }, nothing);
        expect(await codeOf(run.ended)).toBe('ENTROPY_EXHAUSTED');
      });
    });
  });
});

describe('symmetra entropy feed, as a program', () => {
  const bench = new Bench();
  afterAll(async () => bench.end());

  test.each(['', '--kernel --fifo x', '--fifo x --once', '--kernel --once --interval 1s', '--kernel x'])(
    'refuses "%s"',
    async (line) => {
      const args = ['entropy', 'feed', ...line.split(' ').filter((word) => word !== '')];
      expect(await refusal(args)).toMatchObject({ exit: 2, code: 'USAGE' });
    },
  );

  test('without CAP_SYS_ADMIN does not feed the kernel, and says why', async () => {
    const command = [process.execPath, ...programArgs, 'entropy', 'feed', '--kernel', '--once', '--json'];
    const powerless = mayFeedKernel() ? ['setpriv', '--bounding-set', '-sys_admin', ...command] : command;
    const [program = '', ...args] = powerless;
    const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' });
    const code = process.platform === 'linux' ? 'KERNEL_FEED_DENIED' : 'HARDWARE_UNAVAILABLE';
    expect({ status, failure: JSON.parse(stderr) as unknown }).toMatchObject({
      status: 1,
      failure: { error: { code } },
    });
  });

  test.skipIf(!mayFeedKernel())('feeds the kernel once from tested sources, and ends', async () => {
    const args = ['entropy', 'feed', '--kernel', '--once', '--bytes', '32', '--credit-bits', '0'];
    expect(await reply(args)).toMatchObject({ event: 'fed', bytes: 32, creditBits: 0, reseeded: true });
  });

  test.skipIf(process.platform === 'win32')(
    'feeds a FIFO until it is told to end, with exit code 0',
    async () => {
      const fifo = join(await bench.directory(), 'random');
      const feed = bench.start(['entropy', 'feed', '--fifo', fifo]);
      expect(await feed.event('ready')).toEqual({ event: 'ready', fifo, made: true });
      expect((await lstat(fifo)).mode & 0o777).toBe(0o600);
      expect(await buffer(createReadStream(fifo, { end: 99_999 }))).toHaveLength(100_000);
      await feed.event('reader-gone');
      expect(await feed.end()).toMatchObject({ code: 0, stderr: '' });
      expect(await lstat(fifo).catch(() => 'removed')).toBe('removed');
    },
  );

  test.skipIf(process.platform === 'win32')(
    'does not touch another file in the place of the FIFO',
    async () => {
      const file = join(await bench.directory(), 'notes');
      await writeFile(file, 'mine');
      const { code, stdout, stderr } = await symmetra(['entropy', 'feed', '--fifo', file]);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(/^FIFO_UNSUITABLE: [^\n]+\n$/);
      expect(await readFile(file, 'utf8')).toBe('mine');
    },
  );
});
