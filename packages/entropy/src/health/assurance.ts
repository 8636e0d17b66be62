import { binomialTail, criticalBinomialAtTail } from '@symmetra/battery';
import { ALARM_BITS } from './cutoffs.js';
import type { Cutoffs } from './cutoffs.js';

const MIN_WINDOW = 2 ** 13;
const MAX_WINDOW = 2 ** 19;
/** The window when measuring cannot assure the claim. */
const REFUTING_WINDOW = 2 ** 17;

/** What is to be assured: that nothing which is counted has a probability above 2^-H. */
export interface Claim {
  readonly bitsPerSample: number;
  /** H, claimed bits per sample; above 0. */
  readonly minEntropy: number;
  /** How many things are counted at the same time: the values, or the lags. */
  readonly counted: number;
}

/** A window and the counts within it that raise an alarm. */
export interface CountRule extends Cutoffs {
  readonly window: number;
  /** Whether noise below the claim raises the intermittent alarm but for 2^-30; else noise proven to be below it. */
  readonly assured: boolean;
}

/**
 * The rule by which counts over a window keep to a claim. The intermittent cutoff stands so low that a count of
 * probability 2^-H or more stays under it only with probability 2^-30, and the window is the smallest power of two in
 * which a good source passes it all the same, again but for 2^-30: one whose greatest probability lies at most halfway
 * between that of uniform noise and 2^-H. The permanent cutoff is one that noise which meets the claim reaches with
 * probability 2^-60.
 *
 * A claim so near to full entropy that 2^19 samples are too few for this cannot be assured by counting. For it the
 * intermittent cutoff, too, is one that noise which meets the claim does not reach (but for 2^-30).
 */
export function countRule(claim: Claim, minWindow = MIN_WINDOW): CountRule {
  const limit = 2 ** -claim.minEntropy;
  for (let window = minWindow; window <= MAX_WINDOW; window *= 2) {
    const intermittent = assuringCutoff(window, limit);
    if (passesHalfway(claim, window, intermittent)) {
      return { window, intermittent, permanent: refutingCutoff(claim, window, 'permanent'), assured: true };
    }
  }
  const window = Math.max(minWindow, REFUTING_WINDOW);
  return {
    window,
    intermittent: refutingCutoff(claim, window, 'intermittent'),
    permanent: refutingCutoff(claim, window, 'permanent'),
    assured: false,
  };
}

/** The largest c with P(X < c) <= 2^-30 for X ~ Binomial(window, limit): what falls short of X are its failures. */
function assuringCutoff(window: number, limit: number): number {
  return window - criticalBinomialAtTail(window, 1 - limit, 2 ** -ALARM_BITS.intermittent);
}

function passesHalfway(
  { bitsPerSample, minEntropy, counted }: Claim,
  window: number,
  cutoff: number,
): boolean {
  const halfway = (2 ** -bitsPerSample + 2 ** -minEntropy) / 2;
  return counted * binomialTail(window, halfway, cutoff) <= 2 ** -ALARM_BITS.intermittent;
}

function refutingCutoff({ minEntropy, counted }: Claim, window: number, level: keyof Cutoffs): number {
  return 1 + criticalBinomialAtTail(window, 2 ** -minEntropy, 2 ** -ALARM_BITS[level] / counted);
}
