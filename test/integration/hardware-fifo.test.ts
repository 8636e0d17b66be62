import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { chmod, lstat, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SymmetraError } from '@symmetra/crypto';
import { feedFifo, osRandom } from '@symmetra/entropy';
import type { DrawRandom } from '@symmetra/entropy';
import { makeFifo } from '@symmetra/hardware';
import { systemClock } from '@symmetra/runtime';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { codeOf } from '../contract/noise-source-suite.js';

/** What a pipe of Linux holds. */
const PIPE_BYTES = 65_536;
const os = osRandom().bytes;

/** A feed whose events can be waited for. */
class Feed {
  readonly drawn: Uint8Array[] = [];
  readonly #stop = new AbortController();
  readonly #events: string[] = [];
  readonly #waiting = new Set<() => void>();
  readonly ended: Promise<void>;

  constructor(path: string, draw: DrawRandom = async (length) => os(length)) {
    this.ended = feedFifo({
      path,
      draw: async (length) => {
        const bytes = await draw(length);
        this.drawn.push(bytes);
        return bytes;
      },
      clock: systemClock,
      signal: this.#stop.signal,
      onReady: (made) => this.#note(made ? 'made' : 'found'),
      onReader: () => this.#note('reader'),
      onReaderGone: () => this.#note('gone'),
      onSkipped: (error) => this.#note(error instanceof SymmetraError ? error.code : 'unknown'),
    });
    this.ended.catch(() => this.#note('failed'));
  }

  /** The next event. */
  async next(): Promise<string> {
    while (this.#events.length === 0) {
      await new Promise<void>((resolve) => {
        this.#waiting.add(resolve);
      });
    }
    return this.#events.shift() ?? '';
  }

  async end(): Promise<void> {
    this.#stop.abort();
    await this.ended;
  }

  #note(event: string): void {
    this.#events.push(event);
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}

/** Reads so many bytes of a FIFO, then leaves. */
async function readSome(path: string, length: number): Promise<Uint8Array> {
  const stream = createReadStream(path, { end: length - 1, highWaterMark: 1000 });
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  return new Uint8Array(Buffer.concat(chunks));
}

describe.skipIf(process.platform === 'win32')('a FIFO that is fed', () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'symmetra-fifo-'));
    path = join(folder, 'random');
  });
  afterEach(async () => rm(folder, { recursive: true }));

  test('is made for this user only, and removed at the end', async () => {
    const feed = new Feed(path);
    expect(await feed.next()).toBe('made');
    const stats = await lstat(path);
    expect(stats.isFIFO()).toBe(true);
    expect(stats.mode & 0o777).toBe(0o600);
    await feed.end();
    expect(await lstat(path).catch(() => 'gone')).toBe('gone');
    expect(feed.drawn).toEqual([]);
  });

  test('that was there is used, and stays', async () => {
    await makeFifo(path);
    const feed = new Feed(path);
    expect(await feed.next()).toBe('found');
    await feed.end();
    expect((await lstat(path)).isFIFO()).toBe(true);
  });

  test('gives one reader after the other fresh bytes, in order, and wipes its own', async () => {
    const given: number[] = [];
    const feed = new Feed(path, async (length) => {
      const bytes = os(length);
      given.push(...bytes);
      return bytes;
    });
    await feed.next();
    const first = await readSome(path, 200_000);
    expect(await feed.next()).toBe('reader');
    expect(await feed.next()).toBe('gone');
    expect(first).toHaveLength(200_000);
    expect(Buffer.compare(first, Uint8Array.from(given.slice(0, 200_000)))).toBe(0);

    const before = given.length;
    const second = await readSome(path, 5000);
    expect(Buffer.compare(second, Uint8Array.from(given.slice(before, before + 5000)))).toBe(0);
    await feed.end();
    expect(feed.drawn.every((bytes) => bytes.every((byte) => byte === 0))).toBe(true);
  });

  test('draws no more than its reader takes', async () => {
    const feed = new Feed(path);
    await feed.next();
    const reader = createReadStream(path, { highWaterMark: 4096 });
    await once(reader, 'readable');
    expect(await feed.next()).toBe('reader');
    let before = -1;
    // Nobody reads on: the drawing comes to its end by itself.
    for (let i = 0; i < 200 && before !== feed.drawn.length; i++) {
      before = feed.drawn.length;
      await new Promise((resolve) => {
        setTimeout(resolve, 50);
      });
    }
    const drawn = feed.drawn.reduce((sum, { length }) => sum + length, 0);
    expect(drawn).toBeGreaterThanOrEqual(4096);
    expect(drawn).toBeLessThanOrEqual(PIPE_BYTES + 4 * 4096);
    await feed.end();
    reader.destroy();
    await once(reader, 'close');
  });

  test('goes on when there were no random bytes for a while', async () => {
    let turns = 0;
    const feed = new Feed(path, async (length) => {
      if (++turns === 1) throw new SymmetraError('ENTROPY_EXHAUSTED', 'no entropy is left');
      return os(length);
    });
    await feed.next();
    const read = readSome(path, 100);
    expect(await feed.next()).toBe('reader');
    expect(await feed.next()).toBe('ENTROPY_EXHAUSTED');
    expect(await read).toHaveLength(100);
    await feed.end();
  });

  test('is not fed where another file stands', async () => {
    await writeFile(path, 'precious');
    expect(await codeOf(new Feed(path).ended)).toBe('FIFO_UNSUITABLE');
    expect((await lstat(path)).size).toBe(8);
  });

  test('is not fed when others may write to it', async () => {
    await makeFifo(path);
    await chmod(path, 0o622);
    expect(await codeOf(new Feed(path).ended)).toBe('FIFO_UNSUITABLE');
  });

  test('that is replaced is left alone', async () => {
    const feed = new Feed(path);
    await feed.next();
    await makeFifo(`${path}-of-mallory`);
    await rename(`${path}-of-mallory`, path);
    const read = readSome(path, 10);
    expect(await codeOf(feed.ended)).toBe('FIFO_UNSUITABLE');
    expect((await lstat(path)).isFIFO()).toBe(true);
    expect(await read).toHaveLength(0);
  });

  test('can not be made where no directory is', async () => {
    expect(await codeOf(new Feed(join(folder, 'none', 'random')).ended)).toBe('FIFO_FAILED');
  });
});
