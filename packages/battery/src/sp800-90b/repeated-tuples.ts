import type { SymbolSequence } from './samples.js';
import { suffixArrayOf } from './suffix-array.js';

/**
 * How often tuples repeat, of every length up to that of the longest repeated one:
 * `mostFrequent[w]` is the count of the most frequent w-tuple, `equalPairs[w]` the number of
 * pairs of places that hold the same w-tuple. Index 0 has no meaning.
 */
export interface RepeatedTuples {
  readonly length: number;
  readonly longest: number;
  readonly mostFrequent: Float64Array;
  readonly equalPairs: Float64Array;
}

/** Counted on the intervals of the LCP array: each is a set of suffixes that share a prefix. */
export function repeatedTuplesOf({ symbols, alphabetSize }: SymbolSequence): RepeatedTuples {
  const length = symbols.length;
  const common = commonPrefixesOf(symbols, suffixArrayOf(symbols, alphabetSize));
  let longest = 0;
  for (let i = 1; i < length; i++) if (common[i]! > longest) longest = common[i]!;

  const mostFrequent = new Float64Array(longest + 1).fill(1);
  const equalPairs = new Float64Array(longest + 1);
  const depths = new Int32Array(longest + 2);
  const firsts = new Int32Array(longest + 2);
  let top = 0;
  for (let i = 1; i <= length; i++) {
    const shared = i < length ? common[i]! : 0;
    let first = i - 1;
    while (depths[top]! > shared) {
      const depth = depths[top]!;
      first = firsts[top]!;
      const count = i - first;
      const pairs = (count * (count - 1)) / 2;
      top--;
      if (count > mostFrequent[depth]!) mostFrequent[depth] = count;
      equalPairs[depth]! += pairs;
      equalPairs[Math.max(shared, depths[top]!)]! -= pairs;
    }
    if (depths[top]! < shared) {
      top++;
      depths[top] = shared;
      firsts[top] = first;
    }
  }
  for (let width = longest - 1; width >= 1; width--) {
    mostFrequent[width] = Math.max(mostFrequent[width]!, mostFrequent[width + 1]!);
    equalPairs[width]! += equalPairs[width + 1]!;
  }
  return { length, longest, mostFrequent, equalPairs };
}

/**
 * The longest common prefix of each suffix with the one before it in the order (Kärkkäinen,
 * Manzini, Puglisi, 2009: computed in the order of the text, which the caches like).
 */
function commonPrefixesOf(symbols: Uint8Array, order: Int32Array): Int32Array {
  const length = symbols.length;
  const predecessor = new Int32Array(length);
  predecessor[order[0]!] = -1;
  for (let i = 1; i < length; i++) predecessor[order[i]!] = order[i - 1]!;

  let shared = 0;
  for (let i = 0; i < length; i++) {
    const j = predecessor[i]!;
    if (j < 0) {
      shared = 0;
    } else {
      const limit = length - Math.max(i, j);
      while (shared < limit && symbols[i + shared] === symbols[j + shared]) shared++;
    }
    predecessor[i] = shared;
    if (shared > 0) shared--;
  }

  const common = new Int32Array(length);
  for (let i = 0; i < length; i++) common[i] = predecessor[order[i]!]!;
  return common;
}
