import { binomialTail } from '@symmetra/battery';

/** The exact interval of Clopper and Pearson for a share of which `count` of `trials` were seen. */
export function exactInterval(count: number, trials: number, confidence: number): readonly [number, number] {
  const side = (1 - confidence) / 2;
  const low = count === 0 ? 0 : bisect((share) => binomialTail(trials, share, count) < side);
  const high = count === trials ? 1 : bisect((share) => binomialTail(trials, share, count + 1) < 1 - side);
  return [low, high];
}

/** Where something that is true at 0 becomes false on the way to 1. */
function bisect(holds: (share: number) => boolean): number {
  let [low, high] = [0, 1];
  for (let step = 0; step < 50; step += 1) {
    const middle = (low + high) / 2;
    if (holds(middle)) low = middle;
    else high = middle;
  }
  return low;
}
