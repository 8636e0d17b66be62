import { criticalBinomialAtTail } from '@symmetra/battery';
import { SymmetraError } from '@symmetra/crypto';

/** False alarms of RCT, APT and the rolling min-entropy: 2^-30 and 2^-60 for each decision. */
export const ALARM_BITS = { intermittent: 30, permanent: 60 } as const;
/** Those of the lag predictor: 2^-22 and 2^-44. */
export const LAG_ALARM_BITS = { intermittent: 22, permanent: 44 } as const;

/** The counts at which a test raises its alarms. */
export interface Cutoffs {
  readonly intermittent: number;
  readonly permanent: number;
}

/** The window of the adaptive proportion test (SP 800-90B, 4.4.2). */
export function proportionWindow(bitsPerSample: number): number {
  return bitsPerSample === 1 ? 1024 : 512;
}

/**
 * The cutoff of the repetition count test, `1 + ceil(alphaBits / H)` (SP 800-90B, 4.4.1).
 *
 * @param minEntropy claimed bits per sample.
 * @param alphaBits false alarms, as -log2.
 * @throws HEALTH_CUTOFF when no min-entropy is claimed.
 */
export function repetitionCutoff(minEntropy: number, alphaBits: number): number {
  requireClaim(minEntropy);
  return 1 + Math.ceil(alphaBits / minEntropy);
}

/**
 * The cutoff of the adaptive proportion test, `1 + CRITBINOM(W, 2^-H, 1 - alpha)` (SP 800-90B, 4.4.2). The form
 * `2 + CRITBINOM(W - 1, ...)`, which does not count the sample that is looked for among the W trials, is never below
 * it: the clause's form is the one that alarms no later, and costs a few false alarms more than alpha.
 *
 * @throws HEALTH_CUTOFF when the cutoff would be W or more: then hardly anything could fail the test.
 */
export function proportionCutoff(minEntropy: number, alphaBits: number, window: number): number {
  requireClaim(minEntropy);
  const cutoff = 1 + criticalBinomialAtTail(window, 2 ** -minEntropy, 2 ** -alphaBits);
  if (cutoff < window) return cutoff;
  throw new SymmetraError(
    'HEALTH_CUTOFF',
    `an adaptive proportion test over ${window} samples cannot fail at ${minEntropy} bits of min-entropy a sample`,
    { minEntropy, alphaBits, window, cutoff },
  );
}

function requireClaim(minEntropy: number): void {
  if (minEntropy > 0 && minEntropy <= 8) return;
  throw new SymmetraError(
    'HEALTH_CUTOFF',
    `no health test can be built on ${minEntropy} bits of min-entropy a sample`,
    { minEntropy },
  );
}
