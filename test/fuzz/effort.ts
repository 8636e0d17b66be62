/** What `fc.assert` takes of it. */
export interface Effort {
  readonly numRuns: number;
  readonly seed?: number;
  readonly interruptAfterTimeLimit?: number;
}

/** Milliseconds that one property may take in a long run: less than a test may take. */
const LONGEST_MS = 15_000;
/** With less time than that left, a property has the runs of `npm test`: enough to see what it must have seen. */
const SHORTEST_MS = 5000;

/**
 * How hard a property is tried. In `npm test` it has so many runs. `npm run fuzz` (scripts/fuzz.mjs) sets FUZZ_SEED,
 * which makes a round repeatable, FUZZ_FACTOR, by which the runs are multiplied, and FUZZ_UNTIL, the time from which on
 * they are not, in milliseconds.
 */
export function effort(runs: number): Effort {
  const { FUZZ_SEED: seed, FUZZ_FACTOR: factor = '1', FUZZ_UNTIL: until } = process.env;
  if (seed === undefined) return { numRuns: runs };
  const left = until === undefined ? LONGEST_MS : Number(until) - Date.now();
  if (left < SHORTEST_MS) return { numRuns: runs, seed: Number(seed) };
  return {
    numRuns: Math.ceil(runs * Number(factor)),
    seed: Number(seed),
    interruptAfterTimeLimit: Math.min(LONGEST_MS, left),
  };
}
