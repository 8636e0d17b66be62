import { SymmetraError } from '@symmetra/crypto';
import type { NoiseSource, SourceDescription } from '@symmetra/entropy';
import { afterEach, describe, expect, it } from 'vitest';

/** A source under test, with what must be taken down after it. */
export interface SourceUnderTest {
  readonly source: NoiseSource;
  /** Takes down what stands behind the source, which the suite has closed. */
  readonly end?: () => Promise<void>;
}

/** What the suite should know of the sources. */
export interface SuiteOptions {
  /** The largest block that is read; 20,000 by default. Smaller for slow devices. */
  readonly largest?: number;
  /** Opens a source whose device gives nothing, with a time limit of its own well below the test's. */
  readonly silent?: () => Promise<SourceUnderTest>;
}

const NAME = /^[a-z0-9-]{1,32}$/;
const never = (): AbortSignal => new AbortController().signal;

/** The code of the error that a promise fails with; `none` when it does not fail. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'none';
  } catch (error) {
    return error instanceof SymmetraError ? error.code : `not a SymmetraError: ${String(error)}`;
  }
}

/** What is wrong with what a source says of itself. */
function faultsOf(description: SourceDescription): string[] {
  const { name, quantum, physical, simulated, bitsPerSample, minEntropyPerSample } = description;
  const faults: string[] = [];
  if (!NAME.test(name)) faults.push('name');
  if (!Number.isInteger(bitsPerSample) || bitsPerSample < 1 || bitsPerSample > 8) {
    faults.push('bitsPerSample');
  }
  if (!(minEntropyPerSample >= 0 && minEntropyPerSample <= bitsPerSample)) faults.push('minEntropyPerSample');
  // A quantum process is a physical one, unless a program computes it.
  if (quantum && !simulated && !physical) faults.push('quantum');
  return faults;
}

/** The suite that every source of noise passes. */
export function describeNoiseSource(
  name: string,
  create: () => Promise<SourceUnderTest>,
  options: SuiteOptions = {},
): void {
  describe(`a source of noise: ${name}`, () => {
    const opened: SourceUnderTest[] = [];

    const open = async (from = create): Promise<NoiseSource> => {
      const underTest = await from();
      opened.push(underTest);
      return underTest.source;
    };

    afterEach(async () => {
      for (const { source, end } of opened.splice(0)) {
        await source.close();
        await end?.();
      }
    });

    it('says of itself what a source must say', async () => {
      const { description } = await open();
      expect(faultsOf(description)).toEqual([]);
    });

    it('gives exactly as many samples as were asked for, each within its bits', async () => {
      const source = await open();
      const bound = 2 ** source.description.bitsPerSample;
      for (const count of [1, 2, 255, 256, 1000, options.largest ?? 20_000]) {
        const { samples } = await source.read(count, never());
        expect(samples).toHaveLength(count);
        expect(samples.every((sample) => sample < bound)).toBe(true);
      }
    });

    it('gives each sample once: no two blocks are alike', async () => {
      const source = await open();
      const seen = new Set<string>();
      for (let i = 0; i < 8; i++) {
        const { samples } = await source.read(200, never());
        seen.add(Buffer.from(samples).toString('hex'));
      }
      expect(seen.size).toBe(8);
    });

    it('gives arrays that belong to the caller', async () => {
      const source = await open();
      const { samples: first } = await source.read(500, never());
      first.fill(0);
      const { samples: second } = await source.read(500, never());
      const copy = second.slice();
      await source.read(500, never());
      expect(first.every((sample) => sample === 0)).toBe(true);
      expect(Buffer.compare(second, copy)).toBe(0);
    });

    it('describes clicks in the same number on both of their lists, where it has them', async () => {
      const source = await open();
      const { clicks } = await source.read(1000, never());
      if (clicks === undefined) return;
      expect(source.description.kind).toBe('detector');
      expect(clicks.intervals).toHaveLength(clicks.detectors.length);
      expect(clicks.detectors.every((detector) => detector <= 1)).toBe(true);
      expect(clicks.tickPs).toBeGreaterThan(0);
    });

    it('keeps to its description while it is read', async () => {
      const source = await open();
      const before = { ...source.description };
      await source.read(100, never());
      expect({ ...source.description }).toEqual(before);
    });

    it('fails with the reason of a signal that is aborted already, and can be read after it', async () => {
      const source = await open();
      const reason = new Error('the reader changed its mind');
      await expect(source.read(10, AbortSignal.abort(reason))).rejects.toBe(reason);
      expect((await source.read(10, never())).samples).toHaveLength(10);
    });

    it('lets go of the signal when a read is over', async () => {
      const source = await open();
      const controller = new AbortController();
      await source.read(10, controller.signal);
      controller.abort(new Error('too late'));
      expect((await source.read(10, never())).samples).toHaveLength(10);
    });

    it('says SOURCE_CLOSED when it is read after it was closed, however often that was', async () => {
      const source = await open();
      await source.read(10, never());
      await source.close();
      await source.close();
      expect(await codeOf(source.read(10, never()))).toBe('SOURCE_CLOSED');
    });

    it('can be closed before it was ever read', async () => {
      const source = await open();
      await source.close();
      expect(await codeOf(source.read(10, never()))).toBe('SOURCE_CLOSED');
    });

    const { silent } = options;
    if (silent === undefined) return;

    it('says SOURCE_SILENT when the samples do not come in time, and again the next time', async () => {
      const source = await open(silent);
      expect(await codeOf(source.read(100, never()))).toBe('SOURCE_SILENT');
      expect(await codeOf(source.read(100, never()))).toBe('SOURCE_SILENT');
    });

    it('fails with the reason of a signal that is aborted while it waits', async () => {
      const source = await open(silent);
      const controller = new AbortController();
      const reason = new Error('the reader changed its mind');
      setImmediate(() => controller.abort(reason));
      await expect(source.read(100, controller.signal)).rejects.toBe(reason);
    });

    it('says SOURCE_CLOSED to a read that waits when it is closed', async () => {
      const source = await open(silent);
      const code = codeOf(source.read(100, never()));
      await source.close();
      expect(await code).toBe('SOURCE_CLOSED');
    });
  });
}
