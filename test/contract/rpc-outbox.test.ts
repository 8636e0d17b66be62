import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Outbox } from '../../packages/rpc/src/outbox.js';
import type { OutboxOptions } from '../../packages/rpc/src/outbox.js';

const turn = async (): Promise<unknown> => new Promise(setImmediate);

/** An outbox of byte strings whose transport takes a frame when the test says so. */
class Bench {
  readonly frames: number[][] = [];
  readonly outbox: Outbox<readonly number[]>;
  #takers: (() => void)[] = [];

  constructor(bounds: Partial<OutboxOptions<readonly number[]>> = {}) {
    this.outbox = new Outbox({
      encode: (item) => Uint8Array.from(item),
      write: (frame, taken) => {
        this.frames.push([...frame]);
        this.#takers.push(taken);
      },
      maxItemsPerFrame: 4,
      maxFrameBytes: 10,
      maxWritingBytes: 1000,
      maxPendingBytes: 1000,
      ...bounds,
    });
  }

  takeAll(): void {
    const takers = this.#takers;
    this.#takers = [];
    for (const taken of takers) taken();
  }
}

describe('an outbox', () => {
  it('writes nothing in the turn of the push, and all of a turn in one frame after it', async () => {
    const bench = new Bench();
    bench.outbox.push([1]);
    bench.outbox.push([2, 3]);
    expect(bench.frames).toEqual([]);
    await turn();
    expect(bench.frames).toEqual([[1, 2, 3]]);
  });

  it('begins a new frame at either bound', async () => {
    const bench = new Bench();
    for (const item of [[1], [2], [3], [4], [5], [6, 6, 6, 6, 6], [7, 7, 7, 7, 7]]) bench.outbox.push(item);
    await turn();
    expect(bench.frames).toEqual([
      [1, 2, 3, 4],
      [5, 6, 6, 6, 6, 6],
      [7, 7, 7, 7, 7],
    ]);
  });

  it('gathers while the transport holds enough, and goes on when it takes a frame', async () => {
    const bench = new Bench({ maxWritingBytes: 1 });
    bench.outbox.push([1]);
    await turn();
    bench.outbox.push([2]);
    await turn();
    bench.outbox.push([3]);
    await turn();
    expect(bench.frames).toEqual([[1]]);
    bench.takeAll();
    await turn();
    expect(bench.frames).toEqual([[1], [2, 3]]);
  });

  it('refuses what would exceed its bound, and counts down when the transport takes a frame', async () => {
    const bench = new Bench({ maxPendingBytes: 5 });
    expect(bench.outbox.push([1, 1, 1])).toBe(true);
    expect(bench.outbox.push([2, 2, 2])).toBe(false);
    await turn();
    expect(bench.outbox.push([2, 2, 2])).toBe(false);
    bench.takeAll();
    expect(bench.outbox.pendingBytes).toBe(0);
    expect(bench.outbox.push([2, 2, 2])).toBe(true);
    await turn();
    expect(bench.frames).toEqual([
      [1, 1, 1],
      [2, 2, 2],
    ]);
  });

  it('takes bytes that were encoded for many outboxes among its own items, in order', async () => {
    const encoded = Uint8Array.of(2, 3);
    const benches = [new Bench(), new Bench()];
    for (const { outbox } of benches) {
      outbox.push([1]);
      expect(outbox.pushEncoded(encoded)).toBe(true);
      outbox.push([4]);
    }
    await turn();
    expect(benches.map(({ frames }) => frames)).toEqual([[[1, 2, 3, 4]], [[1, 2, 3, 4]]]);
    for (const { outbox } of benches) {
      outbox.discard();
      expect(outbox.pushEncoded(encoded)).toBe(false);
    }
  });

  it('refuses an item that no frame can hold', () => {
    const item = Array.from({ length: 11 }, () => 0);
    const push = (): boolean => new Bench().outbox.push(item);
    expect(push).toThrow(expect.objectContaining({ code: 'MESSAGE_TOO_LARGE' }));
  });

  it('that is finished writes what waits at once and takes nothing more', () => {
    const bench = new Bench({ maxWritingBytes: 1 });
    for (const item of [[1], [2], [3], [4], [5]]) bench.outbox.push(item);
    bench.outbox.finish();
    expect(bench.frames).toEqual([[1, 2, 3, 4], [5]]);
    expect(bench.outbox.push([6])).toBe(false);
  });

  it('that is discarded writes nothing more', async () => {
    const bench = new Bench();
    bench.outbox.push([1]);
    bench.outbox.discard();
    expect(bench.outbox.push([2])).toBe(false);
    await turn();
    expect(bench.frames).toEqual([]);
  });

  it('loses, repeats and reorders nothing, whatever the bounds', async () => {
    const items = fc.array(fc.array(fc.nat(255), { maxLength: 10 }), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(items, fc.integer({ min: 1, max: 40 }), async (pushed, maxWritingBytes) => {
        const bench = new Bench({ maxWritingBytes, maxPendingBytes: 10_000 });
        for (const [index, item] of pushed.entries()) {
          expect(bench.outbox.push(item)).toBe(true);
          if (index % 7 === 0) await turn();
        }
        for (let round = 0; round < 100 && bench.outbox.pendingBytes > 0; round++) {
          await turn();
          bench.takeAll();
        }
        await turn();
        expect(bench.frames.flat()).toEqual(pushed.flat());
        expect(Math.max(0, ...bench.frames.map((frame) => frame.length))).toBeLessThanOrEqual(10);
      }),
      { numRuns: 100 },
    );
  });
});
