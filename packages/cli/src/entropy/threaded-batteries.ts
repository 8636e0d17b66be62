import type { RestartAssessment } from '@symmetra/battery';
import { BatteryThread } from '@symmetra/entropy';
import type { Batteries, BatteryProgress } from '@symmetra/entropy';
import type { Invocation } from '../invocation.js';
import type { Progress } from '../progress.js';

/** What the restart test of SP 800-90B takes. */
interface RestartData {
  readonly matrix: Uint8Array;
  readonly bitsPerSample: number;
  readonly initialEntropy: number;
}

/** The batteries that a bundle takes. */
export interface BundleBatteries {
  readonly nonIid: Batteries['nonIid'];
  readonly restarts: (data: RestartData) => Promise<RestartAssessment>;
}

/**
 * The batteries of reports and bundles in a thread of their own, so that the command can be interrupted. The thread
 * erases what it is given; callers keep theirs.
 */
export function threadedBatteries(invocation: Invocation, progress: Progress): Batteries & BundleBatteries {
  const thread = new BatteryThread();
  invocation.onEnd('battery', async () => thread.close());
  const tell =
    (what: string) =>
    ({ name, done, total }: BatteryProgress): void =>
      progress.step(`${what}: ${name}`, done, total);
  const end = (): void => progress.end();
  return {
    sp80022: async (bytes, profile) =>
      thread.run({ battery: 'sp800-22', profile }, bytes.slice(), tell('SP 800-22')).finally(end),
    restarts: async ({ matrix, bitsPerSample, initialEntropy }) => {
      const job = { battery: 'sp800-90b-restarts', bitsPerSample, initialEntropy } as const;
      return thread.run(job, matrix.slice(), tell('restarts')).finally(end);
    },
    nonIid: async (samples, bitsPerSample) =>
      thread.run({ battery: 'sp800-90b', bitsPerSample }, samples.slice(), tell('SP 800-90B')).finally(end),
  };
}
