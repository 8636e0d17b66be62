import type { Occurrences } from '@symmetra/testing';
import { SystemRun } from './system-run.js';
import type { Outcome } from './system-run.js';

/** The command that runs one seed alone. */
export function replayCommand(seed: string): string {
  return `SIM_SEED=${seed} npx vitest run --project simulation test/simulation/system.test.ts`;
}

/** Runs the system of a seed. @throws when it breaks a rule, with the command that runs it again */
export async function runSeed(seed: string, occurrences: Occurrences): Promise<Outcome> {
  try {
    const outcome = await SystemRun.of(seed, occurrences);
    if (outcome.violations.length === 0) return outcome;
    throw new Error(outcome.violations.map(({ rule, text }) => `${rule}: ${text}`).join('\n'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`seed ${seed} failed: ${reason}\nreplay it with: ${replayCommand(seed)}`, {
      cause: error,
    });
  }
}
