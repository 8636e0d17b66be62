import type { SymbolSequence } from '../samples.js';
import { Shuffle } from './shuffle.js';
import { PermutationStatistics, statisticNames } from './statistics.js';
import type { StatisticName } from './statistics.js';

const rounds = 10_000;
/** So often at least a permutation must lie at or above the original, and at or below it (clause 5.1). */
const enough = 6;

/** One statistic of the samples as measured, and how those of the permutations compare with it. */
export interface PermutedStatistic {
  readonly original: number;
  readonly higher: number;
  readonly equal: number;
  readonly lower: number;
  readonly passed: boolean;
}

export interface PermutationTest {
  readonly generator: string;
  /** The generator's seed: with it anyone gets the same permutations. */
  readonly seed: Uint8Array;
  /** How many permutations it took: 10,000 unless every statistic had passed before. */
  readonly permutations: number;
  readonly statistics: Readonly<Record<StatisticName, PermutedStatistic>>;
  readonly passed: boolean;
}

/** Called after every permutation: how many are done, of at most how many, and the statistics still open. */
export type OnPermutation = (done: number, total: number, open: readonly string[]) => void;

/**
 * The permutation test of SP 800-90B clause 5.1: a sequence that is independent and identically
 * distributed ranks anywhere among its own permutations. A statistic of which six permutations lie
 * at or above and six at or below the original has passed, whatever the others give, and is not
 * computed again, as in NIST's tool; each permutation is made from the one before.
 *
 * @throws SymmetraError BATTERY_BAD_ARGUMENT unless the seed has 16 bytes, not all zero
 */
export function permutationTest(
  samples: Uint8Array,
  sequence: SymbolSequence,
  seed: Uint8Array,
  onPermutation?: OnPermutation,
): PermutationTest {
  const shuffle = new Shuffle(seed);
  const statistics = new PermutationStatistics(samples, sequence);
  const open = new Set<StatisticName>(statisticNames);
  const original = statistics.of(samples, open);
  const tallies = new Map(
    statisticNames.map((name) => [name, { original: original[name]!, higher: 0, equal: 0, lower: 0 }]),
  );

  const permuted = samples.slice();
  let permutations = 0;
  while (permutations < rounds && open.size > 0) {
    shuffle.permute(permuted);
    permutations++;
    const values = statistics.of(permuted, open);
    for (const name of open) {
      const tally = tallies.get(name)!;
      const value = values[name]!;
      if (value > tally.original) tally.higher++;
      else if (value === tally.original) tally.equal++;
      else tally.lower++;
      if (hasPassed(tally)) open.delete(name);
    }
    onPermutation?.(permutations, rounds, [...open]);
  }

  const results = [...tallies].map(([name, tally]) => [name, { ...tally, passed: hasPassed(tally) }]);
  return {
    generator: Shuffle.generator,
    seed: seed.slice(),
    permutations,
    statistics: Object.fromEntries(results) as Readonly<Record<StatisticName, PermutedStatistic>>,
    passed: open.size === 0,
  };
}

function hasPassed({ higher, equal, lower }: Omit<PermutedStatistic, 'original' | 'passed'>): boolean {
  return higher + equal >= enough && lower + equal >= enough;
}
