import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SymmetraError } from '@symmetra/crypto';
import { streamSource } from '@symmetra/entropy';
import type { SourceDescription } from '@symmetra/entropy';
import { systemClock } from '@symmetra/runtime';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { effort } from './effort.js';

const description: SourceDescription = {
  name: 'stream',
  kind: 'stream',
  physical: true,
  quantum: false,
  simulated: false,
  raw: true,
  bitsPerSample: 8,
  minEntropyPerSample: 4,
};

const never = new AbortController().signal;

/** Bytes as a connection may bring them: in parts of any size. */
const parts = fc.array(fc.uint8Array({ minLength: 1, maxLength: 60 }), { maxLength: 8 });
const counts = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 5 });

describe('streams from strangers', () => {
  let folder: string;
  let path: string;
  let server: Server;
  let behave: (socket: Socket) => void;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'symmetra-fuzz-stream-'));
    path = join(folder, 'socket');
    server = createServer((socket) => {
      socket.on('error', () => undefined);
      behave(socket);
    });
    await new Promise<void>((resolve) => {
      server.listen(path, resolve);
    });
  });

  afterAll(async () => {
    server.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** The bytes of all reads until one fails, and the code of its error. */
  async function readAll(
    protocol: 'raw' | 'egd',
    all: readonly number[],
  ): Promise<{ got: Uint8Array; code: string }> {
    const source = streamSource({
      description,
      address: { path },
      protocol,
      clock: systemClock,
      timeoutMs: 10_000,
    });
    const blocks: Uint8Array[] = [];
    let code = 'none';
    try {
      for (const count of all) blocks.push((await source.read(count, never)).samples);
    } catch (error) {
      code = error instanceof SymmetraError ? error.code : `not a SymmetraError: ${String(error)}`;
    } finally {
      await source.close();
    }
    return { got: Buffer.concat(blocks), code };
  }

  it('raw: what comes through is a beginning of what was sent, whatever its parts', async () => {
    await fc.assert(
      fc.asyncProperty(parts, counts, async (sent, wanted) => {
        let connections = 0;
        behave = (socket) => {
          // A second connection would begin again: it has nothing to give.
          if (++connections === 1) for (const part of sent) socket.write(part);
          socket.end();
        };
        const bytes = Buffer.concat(sent);
        const { got, code } = await readAll('raw', wanted);
        const enough = wanted.reduce((sum, count) => sum + count, 0) <= bytes.length;
        expect(code).toBe(enough ? 'none' : 'SOURCE_SHORT_READ');
        expect(Buffer.compare(got, bytes.subarray(0, got.length))).toBe(0);
      }),
      effort(60),
    );
  });

  it('egd: an answer of any lengths gives its bytes, or the name of what is wrong', async () => {
    await fc.assert(
      fc.asyncProperty(parts, counts, async (sent, wanted) => {
        behave = (socket) => {
          socket.resume();
          // A length of 0 asks for a pause, which would only make the test slow.
          for (const part of sent) socket.write(part.map((byte) => byte || 1));
          socket.end();
        };
        const { got, code } = await readAll('egd', wanted);
        expect(['none', 'SOURCE_BAD_PAYLOAD', 'SOURCE_SHORT_READ', 'SOURCE_UNREACHABLE']).toContain(code);
        expect(got.length).toBeLessThanOrEqual(wanted.reduce((sum, count) => sum + count, 0));
      }),
      effort(60),
    );
  });

  it('egd: honest answers come through whole, in whatever parts they are', async () => {
    await fc.assert(
      fc.asyncProperty(
        counts,
        fc.array(fc.integer({ min: 1, max: 255 }), { minLength: 1 }),
        async (wanted, portions) => {
          let sequence = 0;
          const next = (): number => sequence++ & 0xff;
          let answers = 0;
          behave = (socket) => {
            let request = Buffer.alloc(0);
            socket.on('data', (bytes) => {
              request = Buffer.concat([request, bytes]);
              while (request.length >= 2) {
                const given = Math.min(request[1] ?? 0, portions[answers++ % portions.length] ?? 1);
                socket.write(Uint8Array.of(given));
                socket.write(Uint8Array.from({ length: given }, next));
                request = request.subarray(2);
              }
            });
          };
          const { got, code } = await readAll('egd', wanted);
          expect(code).toBe('none');
          expect(got.every((byte, i) => byte === (i & 0xff))).toBe(true);
          expect(got).toHaveLength(wanted.reduce((sum, count) => sum + count, 0));
        },
      ),
      effort(60),
    );
  });
});
