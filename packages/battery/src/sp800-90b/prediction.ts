import { solveFalling } from './descent.js';
import { upperBound } from './estimate.js';
import type { Estimate } from './estimate.js';

const logConfidence = Math.log(0.99);
const maximumRounds = 200;

/** How a predictor did: `longestRun` is the longest run of right predictions. */
export interface PredictionCount {
  readonly correct: number;
  readonly predictions: number;
  readonly longestRun: number;
}

/**
 * The last steps that all predictors of clauses 6.3.7-6.3.10 share: the larger of the global
 * bound (how often right), the local bound (how long right in a row) and chance.
 */
export function predictionEstimate(count: PredictionCount, alphabetSize: number): Estimate {
  const { correct, predictions } = count;
  const run = count.longestRun + 1;
  const pGlobal = correct / predictions;
  const pGlobalUpper = correct > 0 ? upperBound(pGlobal, predictions) : 1 - 0.01 ** (1 / predictions);
  const least = Math.max(1 / alphabetSize, pGlobalUpper);
  const steps = { correct, run, predictions, pGlobal, pGlobalUpper };

  const logOfNoLongerRun = (p: number): number => logNoRun(p, run, predictions);
  if (least >= 1 || logOfNoLongerRun(least) <= logConfidence) {
    return { minEntropy: 0 - Math.log2(least), steps };
  }
  const pLocal = solveFalling(logOfNoLongerRun, logConfidence, least, 1);
  return { minEntropy: 0 - Math.log2(Math.max(least, pLocal)), steps: { ...steps, pLocal } };
}

/**
 * ln of the probability that `trials` predictions, each right with probability p, hold no run of
 * `run` right ones (Feller; clause 6.3.7 step 8): (1 - p x) / ((run + 1 - run x) q) / x^(trials+1),
 * where x = 1 + y is the root near 1 of y = q p^run (1 + y)^(run + 1). It works on y, which keeps
 * the digits that x would lose.
 */
function logNoRun(p: number, run: number, trials: number): number {
  const q = 1 - p;
  const weight = q * p ** run;
  let y = 0;
  for (let round = 0; round < maximumRounds; round++) {
    const next = weight * Math.exp((run + 1) * Math.log1p(y));
    if (!(next > y)) break;
    y = next;
  }
  return Math.log(q - p * y) - Math.log((1 - run * y) * q) - (trials + 1) * Math.log1p(y);
}
