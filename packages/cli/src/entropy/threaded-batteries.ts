import type { RestartAssessment } from '@symmetra/battery';
import { BatteryThread } from '@symmetra/entropy';
import type { Batteries } from '@symmetra/entropy';
import type { Invocation } from '../invocation.js';
import { Progress } from '../progress.js';

/** What the restart test of SP 800-90B takes. */
export interface RestartData {
  readonly matrix: Uint8Array;
  readonly bitsPerSample: number;
  readonly initialEntropy: number;
}

/** The batteries of reports and bundles in a thread of their own, so that the command can be interrupted. */
export function threadedBatteries(
  invocation: Invocation,
): Batteries & { readonly restarts: (data: RestartData) => Promise<RestartAssessment> } {
  const thread = new BatteryThread();
  invocation.onEnd('battery', async () => thread.close());
  const tell = (what: string) => {
    const progress = new Progress(invocation.output, invocation.clock);
    return {
      step: ({ name, done, total }: { name: string; done: number; total: number }) =>
        progress.step(`${what}: ${name}`, done, total),
      end: () => progress.end(),
    };
  };
  return {
    sp80022: async (bytes, profile) => {
      const { step, end } = tell('SP 800-22');
      // The thread erases what it is given.
      return thread.run({ battery: 'sp800-22', profile }, bytes.slice(), step).finally(end);
    },
    restarts: async ({ matrix, bitsPerSample, initialEntropy }) => {
      const { step, end } = tell('restarts');
      const job = { battery: 'sp800-90b-restarts', bitsPerSample, initialEntropy } as const;
      return thread.run(job, matrix.slice(), step).finally(end);
    },
    nonIid: async (samples, bitsPerSample) => {
      const { step, end } = tell('SP 800-90B');
      return thread.run({ battery: 'sp800-90b', bitsPerSample }, samples.slice(), step).finally(end);
    },
  };
}
