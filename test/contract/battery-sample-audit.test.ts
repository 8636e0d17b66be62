import { ent, sp80022 } from '@symmetra/battery';
import { BatteryThread, SampleAudit } from '@symmetra/entropy';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { goodBytes } from './battery-data.js';

const SAMPLES = 10_000;
const threads: BatteryThread[] = [];
afterEach(async () => Promise.all(threads.splice(0).map(async (thread) => thread.close())));

/** An audit by ENT, whose results and failures can be waited for. */
function auditOf(options: ConstructorParameters<typeof BatteryThread>[0] = {}) {
  const thread = new BatteryThread(options);
  threads.push(thread);
  const told: unknown[] = [];
  const tell = (what: unknown): void => {
    told.push(what);
  };
  const audit = new SampleAudit({
    thread,
    job: { battery: 'ent' },
    bytes: SAMPLES,
    onResult: tell,
    onFailure: tell,
  });
  const until = async (count: number): Promise<readonly unknown[]> => {
    await vi.waitFor(() => expect(told.length).toBeGreaterThanOrEqual(count), { timeout: 20_000 });
    return told;
  };
  return { thread, audit, until };
}

describe('the audit of samples', () => {
  test('gathers what is set aside, in its order, erases it, and has the battery run', async () => {
    const { audit, until } = auditOf();
    const all = goodBytes(2 * SAMPLES, 60);
    for (let at = 0; at < all.length; at += 3000) {
      const window = all.slice(at, at + 3000);
      audit.take(window);
      expect(window.every((byte) => byte === 0)).toBe(true);
    }
    expect(await until(2)).toEqual([ent(all.subarray(0, SAMPLES)), ent(all.subarray(SAMPLES))]);
    expect(audit.skipped).toBe(0);
  });

  test('a window that holds several runs gives them all', async () => {
    const { audit, until } = auditOf();
    audit.take(goodBytes(2 * SAMPLES + 1, 61));
    expect(await until(2)).toHaveLength(2);
  });

  test('skips a run for which the thread has no room, and goes on', async () => {
    const { audit, until } = auditOf({ waiting: 0 });
    audit.take(goodBytes(3 * SAMPLES, 62));
    expect(audit.skipped).toBe(2);
    await until(1);
    audit.take(goodBytes(SAMPLES, 63));
    expect(await until(2)).toHaveLength(2);
    expect(audit.skipped).toBe(2);
  });

  test('forgets what waits when it is told to', async () => {
    const { audit, until } = auditOf();
    audit.take(goodBytes(SAMPLES - 1, 64));
    audit.wipe();
    audit.take(goodBytes(SAMPLES, 65));
    expect(await until(1)).toEqual([ent(goodBytes(SAMPLES, 65))]);
  });

  test('tells why a run came to nothing', async () => {
    const { audit, thread, until } = auditOf();
    audit.take(goodBytes(SAMPLES, 66));
    await thread.close();
    expect(await until(1)).toEqual([expect.objectContaining({ code: 'AUDIT_CLOSED' })]);
  });

  test('runs another battery over output', async () => {
    const thread = new BatteryThread();
    threads.push(thread);
    const result = new Promise((resolve, reject) => {
      new SampleAudit({
        thread,
        job: { battery: 'sp800-22', profile: 'corrected' },
        bytes: 5000,
        onResult: resolve,
        onFailure: reject,
      }).take(goodBytes(5000, 67));
    });
    expect(await result).toEqual(sp80022(goodBytes(5000, 67), { profile: 'corrected' }));
  });
});
