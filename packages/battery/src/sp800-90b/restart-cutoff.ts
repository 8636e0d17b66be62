import { poissonWeight } from '../special/gamma.js';

/** Restarts, and samples after each of them (clause 3.1.4.1). */
export const restartSize = 1000;

/** Rows and columns together fail a source that is as claimed with probability 0.01. */
export const restartAlpha = 1 - 0.99 ** (1 / (2 * restartSize));

/**
 * The cutoff of the restart sanity check (clause 3.1.4.3): a symbol may occur that often, and not
 * more often, among 1000 samples of a source with the claimed min-entropy.
 *
 * The claim is taken at its worst: as many symbols of probability p = 2^-H as there is room for,
 * and one with the rest. NIST's tool simulates five million such rows; here the distribution of
 * the highest count is computed, so that the cutoff is the same every time.
 */
export function restartCutoff(initialEntropy: number): number {
  const p = 2 ** -initialEntropy;
  let low = Math.floor(restartSize * p);
  let high = restartSize;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (1 - probabilityOfHighest(middle, p) <= restartAlpha) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * P(no symbol occurs more than `limit` times). Counts of a multinomial are Poisson counts given
 * their sum: the polynomial of each symbol's Poisson weights up to the limit, all multiplied; the
 * coefficient at 1000, over the weight of a sum of 1000 at all.
 */
function probabilityOfHighest(limit: number, p: number): number {
  const likeliest = Math.floor(1 / p);
  const rest = 1 - likeliest * p;
  let product = power(poissonUpTo(limit, restartSize * p), likeliest);
  if (rest > 0) product = multiply(product, poissonUpTo(limit, restartSize * rest));
  return product[restartSize]! / poissonWeight(restartSize, restartSize);
}

function poissonUpTo(limit: number, mean: number): Float64Array {
  return new Float64Array(restartSize + 1).map((_, count) =>
    count <= limit ? poissonWeight(count, mean) : 0,
  );
}

function power(base: Float64Array, exponent: number): Float64Array {
  if (exponent === 1) return base;
  const half = power(base, exponent >>> 1);
  const square = multiply(half, half);
  return exponent % 2 === 1 ? multiply(square, base) : square;
}

/** The product's terms up to degree 1000. */
function multiply(a: Float64Array, b: Float64Array): Float64Array {
  const product = new Float64Array(restartSize + 1);
  for (let i = 0; i <= restartSize; i++) {
    const weight = a[i]!;
    if (weight === 0) continue;
    for (let j = 0; i + j <= restartSize; j++) product[i + j]! += weight * b[j]!;
  }
  return product;
}
