import { SymmetraError } from '@symmetra/crypto';

const epsilon = 2 ** -53;

/** Below this Stirling's series is not yet exact to double precision. */
const stirlingFrom = 16;

/** Rounds of a series or continued fraction after which something must be wrong. */
const maximumRounds = 10_000_000;

/**
 * Q(a, x), the regularised upper incomplete gamma function: the integral of t^(a-1) e^-t over
 * [x, infinity) divided by Gamma(a).
 *
 * Relative accuracy 1e-12 for a >= 0.5 down to the smallest normal double, 0 below it.
 * x <= 0 gives 1. Weight of the point by Loader's saddle-point form, then the power series of
 * P = 1 - Q (x < a + 1) or Legendre's continued fraction of Q.
 *
 * @throws SymmetraError BATTERY_BAD_ARGUMENT unless a > 0 is finite and x is a number
 */
export function igamc(a: number, x: number): number {
  if (!(a > 0) || !Number.isFinite(a) || Number.isNaN(x)) {
    throw new SymmetraError('BATTERY_BAD_ARGUMENT', 'igamc needs a finite a > 0 and a number x', { a, x });
  }
  if (x <= 0) return 1;
  if (x === Infinity) return 0;
  const weight = poissonWeight(a, x);
  if (x < a + 1) return 1 - weight * lowerSeries(a, x);
  return weight === 0 ? 0 : weight * a * upperFraction(a, x);
}

/** P(X >= x) of a chi-square variable with `df` degrees of freedom. Accuracy and errors as {@link igamc}. */
export function chiSquareSurvival(x: number, df: number): number {
  return igamc(df / 2, x / 2);
}

/** x^a e^-x / Gamma(a + 1): for whole a the Poisson probability of a at mean x. Needs a >= 0, x > 0. */
export function poissonWeight(a: number, x: number): number {
  if (a < stirlingFrom) return Math.exp(a * Math.log(x) - x) / gammaOfSuccessor(a);
  return Math.exp(-deviance(a, x) - stirlingError(a)) / Math.sqrt(2 * Math.PI * a);
}

/** a ln(a/x) + x - a without the cancellation of its terms where x is near a. */
export function deviance(a: number, x: number): number {
  if (a === 0) return x;
  const gap = a - x;
  if (Math.abs(gap) >= 0.1 * (a + x)) return a * Math.log(a / x) - gap;
  const v = gap / (a + x);
  let sum = gap * v;
  let power = 2 * a * v;
  for (let odd = 3; odd < 1000; odd += 2) {
    power *= v * v;
    const next = sum + power / odd;
    if (next === sum) break;
    sum = next;
  }
  return sum;
}

/** ln Gamma(a + 1) - ((a + 1/2) ln a - a + ln(2 pi)/2), the error of Stirling's formula. Needs a > 0. */
export function stirlingError(a: number): number {
  if (a < stirlingFrom) {
    return Math.log(gammaOfSuccessor(a)) - ((a + 0.5) * Math.log(a) - a + 0.5 * Math.log(2 * Math.PI));
  }
  const square = a * a;
  return (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - 1 / 1188 / square) / square) / square) / square) / a;
}

/** Gamma(a + 1) for 0 <= a < 16: shifted up to where Stirling's series is exact. */
function gammaOfSuccessor(a: number): number {
  let product = 1;
  let b = a;
  while (b < stirlingFrom) {
    b += 1;
    product *= b;
  }
  return (Math.sqrt(2 * Math.PI * b) * Math.pow(b, b) * Math.exp(stirlingError(b) - b)) / product;
}

/** P(a, x) divided by the weight of the point: 1 + x/(a+1) + x^2/((a+1)(a+2)) + ... */
function lowerSeries(a: number, x: number): number {
  let term = 1;
  let sum = 1;
  for (let i = 1; i < maximumRounds && term > sum * epsilon; i++) {
    term *= x / (a + i);
    sum += term;
  }
  return sum;
}

/** Q(a, x) Gamma(a) / (x^a e^-x) by Legendre's continued fraction, evaluated after Lentz. */
function upperFraction(a: number, x: number): number {
  const tiny = 1e-300;
  let b = x + 1 - a;
  let c = 1 / tiny;
  let d = 1 / b;
  let value = d;
  for (let i = 1; i < maximumRounds; i++) {
    const numerator = -i * (i - a);
    b += 2;
    d = numerator * d + b;
    if (d === 0) d = tiny;
    c = b + numerator / c;
    if (c === 0) c = tiny;
    d = 1 / d;
    const factor = d * c;
    value *= factor;
    if (Math.abs(factor - 1) <= 2 * epsilon) break;
  }
  return value;
}
