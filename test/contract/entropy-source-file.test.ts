import { randomBytes } from 'node:crypto';
import { constants, openSync } from 'node:fs';
import { appendFile, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileSource } from '@symmetra/entropy';
import type { NoiseSource, SourceDescription } from '@symmetra/entropy';
import { makeFifo } from '@symmetra/hardware';
import { systemClock } from '@symmetra/runtime';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { codeOf, describeNoiseSource } from './noise-source-suite.js';

const never = (): AbortSignal => new AbortController().signal;

const described: SourceDescription = {
  name: 'device',
  kind: 'file',
  physical: true,
  quantum: false,
  simulated: false,
  raw: true,
  bitsPerSample: 8,
  minEntropyPerSample: 6,
};

let folder: string;
let made = 0;
const opened: NoiseSource[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'symmetra-source-'));
});

afterEach(async () => {
  for (const source of opened.splice(0)) await source.close();
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const fresh = (): string => join(folder, `path-${++made}`);

function sourceOf(
  path: string,
  description: Partial<SourceDescription> = {},
  timeoutMs = 10_000,
): NoiseSource {
  const source = fileSource({
    description: { ...described, ...description },
    path,
    clock: systemClock,
    timeoutMs,
  });
  opened.push(source);
  return source;
}

async function fileOf(bytes: Uint8Array): Promise<string> {
  const path = fresh();
  await writeFile(path, bytes);
  return path;
}

async function fifo(): Promise<string> {
  const path = fresh();
  await makeFifo(path);
  return path;
}

describeNoiseSource('a character device', async () => ({ source: sourceOf('/dev/urandom') }), {
  silent: async () => ({ source: sourceOf(await fifo(), {}, 50) }),
});

describeNoiseSource('a regular file', async () => ({ source: sourceOf(await fileOf(randomBytes(50_000))) }));

describeNoiseSource('a FIFO', async () => {
  const path = await fifo();
  // Opened for both and polled, so that neither end waits for the other.
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  const writer = new Socket({ fd, readable: false, writable: true });
  const write = (): void => {
    while (writer.write(randomBytes(1000)));
  };
  writer.on('drain', write);
  write();
  return {
    source: sourceOf(path),
    end: async () => {
      writer.destroy();
    },
  };
});

describe('a regular file as a source', () => {
  it('is read from its beginning to its end, in order', async () => {
    const bytes = randomBytes(200_000);
    const source = sourceOf(await fileOf(bytes));
    const parts = [];
    for (const count of [1, 99_999, 70_000, 30_000]) parts.push((await source.read(count, never())).samples);
    expect(Buffer.compare(Buffer.concat(parts), bytes)).toBe(0);
  });

  it('never starts over: at its end it says SOURCE_SHORT_READ, ever again', async () => {
    const source = sourceOf(await fileOf(randomBytes(100)));
    await source.read(90, never());
    for (let i = 0; i < 3; i++) {
      const failure = source.read(20, never());
      await expect(failure).rejects.toMatchObject({
        code: 'SOURCE_SHORT_READ',
        details: { source: 'device', got: i === 0 ? 10 : 0, wanted: 20 },
      });
    }
  });

  it('goes on when it has grown', async () => {
    const path = await fileOf(randomBytes(10));
    const source = sourceOf(path);
    await source.read(10, never());
    expect(await codeOf(source.read(5, never()))).toBe('SOURCE_SHORT_READ');
    const more = randomBytes(5);
    await appendFile(path, more);
    const { samples } = await source.read(5, never());
    expect(Buffer.compare(samples, more)).toBe(0);
  });

  it('must give samples that fit their bits', async () => {
    const source = sourceOf(await fileOf(Uint8Array.of(0, 1, 1, 2, 0)), {
      bitsPerSample: 1,
      minEntropyPerSample: 0.5,
    });
    expect((await source.read(3, never())).samples).toEqual(Uint8Array.of(0, 1, 1));
    expect(await codeOf(source.read(2, never()))).toBe('SOURCE_BAD_PAYLOAD');
  });

  it('may not be text where nearly 8 bits a byte are claimed', async () => {
    const page = '<html><body>The service is not available.</body></html>\n'.repeat(4);
    const path = await fileOf(Buffer.concat([randomBytes(1000), Buffer.from(page), randomBytes(1000)]));
    const length = 2000 + page.length;
    expect(await codeOf(sourceOf(path, { minEntropyPerSample: 7.9 }).read(length, never()))).toBe(
      'SOURCE_BAD_PAYLOAD',
    );
    // Samples of a converter may well stay within the letters.
    expect((await sourceOf(path, { minEntropyPerSample: 3 }).read(length, never())).samples).toHaveLength(
      length,
    );
  });

  it('may not be text where bytes are conditioned, whatever they are credited', async () => {
    const path = await fileOf(
      Buffer.from('The service is not available. Please try again later.\n'.repeat(4)),
    );
    for (const minEntropyPerSample of [0, 4]) {
      const source = sourceOf(path, { raw: false, minEntropyPerSample });
      expect(await codeOf(source.read(200, never()))).toBe('SOURCE_BAD_PAYLOAD');
    }
  });

  it('is read by one at a time', async () => {
    const source = sourceOf('/dev/urandom');
    const first = source.read(1000, never());
    expect(await codeOf(source.read(10, never()))).toBe('SOURCE_BUSY');
    expect((await first).samples).toHaveLength(1000);
  });
});

describe('what can not be read', () => {
  it.each([
    ['no such file', () => join(folder, 'nothing-here'), 'ENOENT'],
    ['a directory', () => folder, 'unknown'],
  ])('says SOURCE_UNREACHABLE: %s', async (_, path, reason) => {
    await expect(sourceOf(path()).read(10, never())).rejects.toMatchObject({
      code: 'SOURCE_UNREACHABLE',
      details: { source: 'device', reason },
    });
  });

  it('is opened when it appears', async () => {
    const path = fresh();
    const source = sourceOf(path);
    expect(await codeOf(source.read(10, never()))).toBe('SOURCE_UNREACHABLE');
    await writeFile(path, randomBytes(10));
    expect((await source.read(10, never())).samples).toHaveLength(10);
  });

  it('says SOURCE_SHORT_READ: a device that is always at its end', async () => {
    expect(await codeOf(sourceOf('/dev/null').read(10, never()))).toBe('SOURCE_SHORT_READ');
  });
});

describe('devices and FIFOs as sources', () => {
  it('a stuck device passes, for that is what the health tests are for', async () => {
    const { samples } = await sourceOf('/dev/zero').read(100_000, never());
    expect(samples.every((sample) => sample === 0)).toBe(true);
  });

  it('a FIFO without a writer is silent, and serves once one has come', async () => {
    const path = await fifo();
    const source = sourceOf(path, {}, 100);
    expect(await codeOf(source.read(10, never()))).toBe('SOURCE_SILENT');
    const writer = await open(path, 'r+');
    const bytes = randomBytes(10);
    const reading = source.read(10, never());
    await writer.write(bytes);
    expect(Buffer.compare((await reading).samples, bytes)).toBe(0);
    await writer.close();
  });

  it('a FIFO whose writer leaves in the middle is a short read, and serves the next writer afresh', async () => {
    const path = await fifo();
    const source = sourceOf(path);
    const first = source.read(10, never()).catch((error: unknown) => error);
    const writer = await open(path, 'w');
    await writer.write(randomBytes(4));
    await writer.close();
    expect(await first).toMatchObject({ code: 'SOURCE_SHORT_READ', details: { got: 4, wanted: 10 } });
    const second = source.read(10, never());
    const bytes = randomBytes(10);
    await writeFile(path, bytes);
    expect(Buffer.compare((await second).samples, bytes)).toBe(0);
  });

  it('leaves the bytes beyond a block in the FIFO or for the next block', async () => {
    const path = await fifo();
    const source = sourceOf(path);
    const bytes = randomBytes(30);
    const first = source.read(10, never());
    const writer = await open(path, 'w');
    await writer.write(bytes);
    const parts = [(await first).samples, (await source.read(20, never())).samples];
    await writer.close();
    expect(Buffer.compare(Buffer.concat(parts), bytes)).toBe(0);
  });
});
