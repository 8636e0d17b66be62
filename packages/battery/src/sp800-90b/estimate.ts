/** What an estimator found: its min-entropy in bits per symbol, and the values on the way to it. */
export interface Estimate {
  readonly minEntropy: number;
  readonly steps: Readonly<Record<string, number>>;
}

/** The 0.995 quantile of the normal distribution: every bound of clause 6.3 has 99 % confidence. */
export const zAlpha = 2.5758293035489008;

/** The upper confidence bound of a probability seen as `p` over `count` trials. */
export function upperBound(p: number, count: number): number {
  return Math.min(1, p + zAlpha * Math.sqrt((p * (1 - p)) / (count - 1)));
}
