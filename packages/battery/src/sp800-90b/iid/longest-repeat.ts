import { repeatedTuplesOf } from '../repeated-tuples.js';
import type { SymbolSequence } from '../samples.js';

/** The test passes from this probability on (clause 5.2.5). */
const leastProbability = 0.001;

export interface LongestRepeatTest {
  /** The probability that two samples are equal. */
  readonly pCollision: number;
  /** The length of the longest substring that occurs twice. */
  readonly length: number;
  /** How likely a repeat of that length is when all samples are independent. */
  readonly probability: number;
  readonly passed: boolean;
}

/** The length of the longest repeated substring test of SP 800-90B clause 5.2.5. */
export function longestRepeatTest(sequence: SymbolSequence): LongestRepeatTest {
  const { symbols, alphabetSize } = sequence;
  const counts = new Float64Array(alphabetSize);
  for (const symbol of symbols) counts[symbol]!++;
  const pCollision = counts.reduce((sum, count) => sum + (count / symbols.length) ** 2, 0);
  const { longest: length } = repeatedTuplesOf(sequence);
  if (pCollision >= 1) return { pCollision, length, probability: 1, passed: true };

  const places = symbols.length - length + 1;
  const pairs = (places * (places - 1)) / 2;
  const logOfNone = pairs * Math.log1p(-(pCollision ** length));
  return {
    pCollision,
    length,
    probability: 0 - Math.expm1(logOfNone),
    passed: logOfNone <= Math.log1p(-leastProbability),
  };
}
