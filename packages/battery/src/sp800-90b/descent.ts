/** Halvings after which two doubles in [0, 1] have met. */
const maximumHalvings = 1100;

/**
 * Where in [low, high] the falling function `f` takes `target`: halved until no double lies
 * between the two ends (or `f` hits the target), as SP 800-90B's binary searches end.
 */
export function solveFalling(f: (x: number) => number, target: number, low: number, high: number): number {
  let left = low;
  let right = high;
  for (let round = 0; round < maximumHalvings; round++) {
    const middle = (left + right) / 2;
    if (!(middle > left && middle < right)) break;
    const value = f(middle);
    if (value === target) return middle;
    if (value > target) left = middle;
    else right = middle;
  }
  return right;
}
