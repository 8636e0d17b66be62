/** Where the series of erf gives way to the continued fraction of erfc. */
const fractionFrom = 2;

/** Levels of the continued fraction: enough for double precision at x = 2, more than enough above. */
const levels = 120;

/**
 * The complementary error function, 1 - erf(x).
 *
 * Relative accuracy 1e-13 down to the smallest normal double (x about 26.5). NaN gives NaN.
 */
export function erfc(x: number): number {
  if (x < 0) return 2 - erfc(-x);
  if (x < fractionFrom) return 1 - errorSeries(x);
  if (x > 28) return 0;
  let tail = x;
  for (let k = levels; k >= 1; k--) tail = x + k / 2 / tail;
  return expOfMinusSquare(x) / (tail * Math.sqrt(Math.PI));
}

/** P(Z <= x) of a standard normal variable, with {@link erfc}'s relative accuracy in the lower tail. */
export function normalCdf(x: number): number {
  return erfc(-x / Math.SQRT2) / 2;
}

/** erf(x) for small x as e^-x^2 times a series of positive terms: nothing cancels. */
function errorSeries(x: number): number {
  const square = x * x;
  let term = x;
  let sum = x;
  for (let k = 1; term > sum * 2 ** -54; k++) {
    term *= (2 * square) / (2 * k + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * expOfMinusSquare(x) * sum;
}

/** e^-x^2 with x split, so that the rounding of x^2 does not grow with x. */
function expOfMinusSquare(x: number): number {
  const head = Math.round(x * 4096) / 4096;
  return Math.exp(-head * head) * Math.exp(-(x - head) * (x + head));
}
