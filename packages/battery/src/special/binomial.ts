import { SymmetraError } from '@symmetra/crypto';
import { deviance, stirlingError } from './gamma.js';

/**
 * P(X = k) of X ~ Binomial(n, p), by Loader's saddle-point form: relative accuracy about 1e-13.
 *
 * @throws SymmetraError BATTERY_BAD_ARGUMENT unless n >= 0 and k are whole and 0 <= p <= 1
 */
export function binomialProbability(n: number, p: number, k: number): number {
  requireBinomial(n, p);
  if (!Number.isSafeInteger(k)) {
    throw new SymmetraError('BATTERY_BAD_ARGUMENT', 'a binomial variable takes whole values', { k });
  }
  if (k < 0 || k > n) return 0;
  if (p === 0) return k === 0 ? 1 : 0;
  if (p === 1) return k === n ? 1 : 0;
  if (k === 0) return Math.exp(n * Math.log1p(-p));
  if (k === n) return Math.exp(n * Math.log(p));
  const rest = n - k;
  const exponent =
    stirlingError(n) -
    stirlingError(k) -
    stirlingError(rest) -
    deviance(k, n * p) -
    deviance(rest, n * (1 - p));
  return Math.exp(exponent) * Math.sqrt(n / (2 * Math.PI * k * rest));
}

/**
 * P(X >= k) of X ~ Binomial(n, p), with relative accuracy about 1e-12 in the upper tail.
 *
 * @throws SymmetraError BATTERY_BAD_ARGUMENT as {@link binomialProbability}
 */
export function binomialTail(n: number, p: number, k: number): number {
  requireBinomial(n, p);
  if (k <= 0) return 1;
  if (k > n) return 0;
  return k > n * p ? sumUpward(n, p, k) : 1 - sumDownward(n, p, k - 1);
}

/**
 * The smallest k with P(X <= k) >= confidence: CRITBINOM of SP 800-90B clause 4.4.2.
 *
 * A confidence nearer to 1 than about 2^-40 is better given by its complement: see
 * {@link criticalBinomialAtTail}.
 *
 * @throws SymmetraError BATTERY_BAD_ARGUMENT unless n >= 0 is whole, 0 <= p <= 1, 0 < confidence < 1
 */
export function criticalBinomial(n: number, p: number, confidence: number): number {
  return criticalBinomialAtTail(n, p, 1 - confidence);
}

/**
 * The smallest k with P(X > k) <= alpha: {@link criticalBinomial} for confidence 1 - alpha, exact
 * for every alpha that a double holds (2^-60 as well as 2^-20).
 *
 * @throws SymmetraError BATTERY_BAD_ARGUMENT unless n >= 0 is whole, 0 <= p <= 1, 0 < alpha < 1
 */
export function criticalBinomialAtTail(n: number, p: number, alpha: number): number {
  requireBinomial(n, p);
  if (!(alpha > 0 && alpha < 1)) {
    throw new SymmetraError('BATTERY_BAD_ARGUMENT', 'a tail probability lies strictly between 0 and 1', {
      alpha,
    });
  }
  let low = 0;
  let high = n;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (binomialTail(n, p, middle + 1) <= alpha) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The terms from k up to n; they fall from the first, which lies above the mean. */
function sumUpward(n: number, p: number, k: number): number {
  let term = binomialProbability(n, p, k);
  let sum = term;
  const odds = p / (1 - p);
  for (let i = k; i < n && term > sum * 2 ** -54; i++) {
    term *= ((n - i) / (i + 1)) * odds;
    sum += term;
  }
  return sum;
}

/** The terms from k down to 0; they fall from the first, which lies below the mean. */
function sumDownward(n: number, p: number, k: number): number {
  let term = binomialProbability(n, p, k);
  let sum = term;
  const odds = (1 - p) / p;
  for (let i = k; i > 0 && term > sum * 2 ** -54; i--) {
    term *= (i / (n - i + 1)) * odds;
    sum += term;
  }
  return sum;
}

function requireBinomial(n: number, p: number): void {
  if (!Number.isSafeInteger(n) || n < 0 || !(p >= 0 && p <= 1)) {
    throw new SymmetraError(
      'BATTERY_BAD_ARGUMENT',
      'a binomial variable needs a whole n >= 0 and a p from 0 to 1',
      { n, p },
    );
  }
}
