const SIZE = 4096;
const STEP = 1e-4;

/**
 * The standard normal law as 4,096 equally probable values, each the quantile at the middle of its part: a draw is one
 * look-up. The tails end at 3.67 standard deviations. Found by summing the density from the middle outwards.
 */
export const GAUSSIAN_QUANTILES: Float64Array = quantiles();

function quantiles(): Float64Array {
  const table = new Float64Array(SIZE);
  const half = SIZE / 2;
  let [x, below] = [0, 0];
  for (let index = 0; index < half; index += 1) {
    const wanted = (index + 0.5) / SIZE;
    while (below < wanted) {
      below += (STEP * Math.exp(-0.5 * (x + STEP / 2) ** 2)) / Math.sqrt(2 * Math.PI);
      x += STEP;
    }
    table[half + index] = x;
    table[half - 1 - index] = -x;
  }
  return table;
}
