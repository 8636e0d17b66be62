import { ent, sp80022 } from '@symmetra/battery';
import { BatteryThread } from '@symmetra/entropy';
import type { BatteryProgress } from '@symmetra/entropy';
import { afterEach, describe, expect, test } from 'vitest';
import { goodBytes } from './battery-data.js';

const threads: BatteryThread[] = [];
afterEach(async () => Promise.all(threads.splice(0).map(async (thread) => thread.close())));

function threadOf(options: ConstructorParameters<typeof BatteryThread>[0] = {}): BatteryThread {
  const thread = new BatteryThread(options);
  threads.push(thread);
  return thread;
}

/** A program for a thread that dies of ENT, holds on to SP 800-90B for good, and answers the rest with its number. */
const FRAIL = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { parentPort, threadId } from 'node:worker_threads';
    parentPort.on('message', ({ job }) => {
      if (job.battery === 'ent') process.exit(7);
      if (job.battery === 'sp800-22') throw new RangeError('planted');
      if (job.battery === 'fips140-2') parentPort.postMessage({ kind: 'done', result: threadId });
    });
  `)}`,
);

const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);
const coded = (code: string): unknown => expect.objectContaining({ code });

describe('a thread of batteries', () => {
  test('gives what the battery gives, tells how far it is, and erases the bytes', async () => {
    const thread = threadOf();
    const [bytes, samples] = [goodBytes(50_000, 50), goodBytes(50_000, 51)];
    const progress: BatteryProgress[] = [];
    const results = Promise.all([
      thread.run({ battery: 'sp800-22', profile: 'corrected' }, bytes, (step) => progress.push(step)),
      thread.run({ battery: 'ent' }, samples),
    ]);
    expect([isZero(bytes), isZero(samples)]).toEqual([true, true]);
    expect(await results).toEqual([
      sp80022(goodBytes(50_000, 50), { profile: 'corrected' }),
      ent(goodBytes(50_000, 51)),
    ]);
    expect(progress).toHaveLength(15);
    expect(progress.at(-1)).toEqual({ name: 'LinearComplexity', done: 15, total: 15 });
  });

  test('a battery that refuses its bytes does so by its own code, and the thread lives on', async () => {
    const thread = threadOf();
    await expect(thread.run({ battery: 'sp800-90b', bitsPerSample: 8 }, new Uint8Array(5))).rejects.toEqual(
      coded('BATTERY_TOO_FEW_SAMPLES'),
    );
    expect(await thread.run({ battery: 'ent' }, goodBytes(10, 52))).toMatchObject({ bytes: 10 });
  });

  test('takes no more than it has room for, and erases what it refuses', async () => {
    const thread = threadOf({ waiting: 1, program: FRAIL });
    const stuck = [1, 2].map(async () =>
      thread.run({ battery: 'sp800-90b', bitsPerSample: 8 }, goodBytes(10, 53)),
    );
    expect(thread.room).toBe(0);
    const bytes = goodBytes(10, 54);
    await expect(thread.run({ battery: 'ent' }, bytes)).rejects.toEqual(coded('AUDIT_BUSY'));
    expect(isZero(bytes)).toBe(true);
    const ends = Promise.allSettled(stuck);
    await thread.close();
    expect(await ends).toMatchObject([{ reason: coded('AUDIT_CLOSED') }, { reason: coded('AUDIT_CLOSED') }]);
  });

  test.each([
    ['ends', { battery: 'ent' }, { exitCode: 7, reason: 'none' }],
    ['throws', { battery: 'sp800-22', profile: 'corrected' }, { exitCode: 1, reason: 'RangeError' }],
  ] as const)('one that %s is told and replaced', async (_, job, details) => {
    const thread = threadOf({ program: FRAIL });
    const before = await thread.run({ battery: 'fips140-2' }, goodBytes(10, 55));
    const lost = thread.run(job, goodBytes(10, 56));
    const after = thread.run({ battery: 'fips140-2' }, goodBytes(10, 57));
    await expect(lost).rejects.toMatchObject({ code: 'AUDIT_WORKER_LOST', details });
    expect(await after).not.toEqual(before);
  });

  test('is closed once and for all', async () => {
    const thread = threadOf();
    await thread.close();
    await thread.close();
    const bytes = goodBytes(10, 58);
    await expect(thread.run({ battery: 'ent' }, bytes)).rejects.toEqual(coded('AUDIT_CLOSED'));
    expect(isZero(bytes)).toBe(true);
    expect(thread.room).toBe(0);
  });
});
