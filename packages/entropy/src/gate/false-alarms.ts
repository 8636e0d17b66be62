import { binomialTail, criticalBinomialAtTail } from '@symmetra/battery';

/*
 * How often good data show a count as far out as the one seen: exactly, from the distribution of the count, and which
 * of these probabilities is the largest that does not exceed a bound. The latter is the true rate at which a test
 * that rejects at the bound raises a false alarm: counts come in steps.
 */

/** P(|X - n/2| >= |k - n/2|) of `k` heads of `n` fair coins. */
export function fairCoinsTail(n: number, k: number): number {
  return Math.min(1, 2 * binomialTail(n, 0.5, Math.max(k, n - k)));
}

/** The largest value of {@link fairCoinsTail} that is at most `bound`. */
export function fairCoinsSize(n: number, bound: number): number {
  return fairCoinsTail(n, criticalBinomialAtTail(n, 0.5, bound / 2) + 1);
}

/**
 * P(X >= count) of the repeated ones among `words` random words of 32 bits: Poisson, for words that are few beside
 * 2^32; for 2^13 words the figures up to three repetitions are right to one part in a thousand.
 */
export function repetitionsTail(words: number, count: number): number {
  if (count === 0) return 1;
  const mean = (words * (words - 1)) / 2 ** 33;
  let term = Math.exp(-mean);
  for (let k = 1; k <= count; k += 1) term *= mean / k;
  let sum = 0;
  for (let k = count + 1; term > sum * 2 ** -54; k += 1) {
    sum += term;
    term *= mean / k;
  }
  return sum;
}

/** The largest value of {@link repetitionsTail} that is at most `bound`. */
export function repetitionsSize(words: number, bound: number): number {
  let count = 1;
  while (repetitionsTail(words, count) > bound) count += 1;
  return repetitionsTail(words, count);
}

/**
 * P(longest run of equal bits >= run) in `bits` fair bits. Neighbours that are equal are themselves fair bits, one
 * less; a first run of `m` of them that ends at the i-th follows a different pair, so
 * p(i) = p(i - 1) + 2^-(m+1) (1 - p(i - m - 1)).
 */
export function longRunTail(bits: number, run: number): number {
  const m = run - 1;
  const pairs = bits - 1;
  if (m <= 0) return 1;
  if (m > pairs) return 0;
  const p = new Float64Array(pairs + 1);
  p[m] = 2 ** -m;
  const step = 2 ** -(m + 1);
  for (let i = m + 1; i <= pairs; i += 1) p[i] = (p[i - 1] as number) + step * (1 - (p[i - m - 1] as number));
  return p[pairs] as number;
}

/** The largest value of {@link longRunTail} that is at most `bound`. */
export function longRunSize(bits: number, bound: number): number {
  // P(run) is below bits / 2^(run - 1), and about half of it.
  let run = Math.max(1, Math.floor(Math.log2(bits / bound)) - 2);
  while (longRunTail(bits, run) > bound) run += 1;
  return longRunTail(bits, run);
}
