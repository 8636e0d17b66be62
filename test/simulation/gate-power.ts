import { BufferGate } from '@symmetra/entropy';
import { exactInterval } from '../contract/binomial-interval.js';
import { GoodData, biased, correlated, periodic, repeated } from '../contract/entropy-gate-data.js';
import type { Flaw } from '../contract/entropy-gate-data.js';

/** Buffers of each kind that the table rests on. */
export const TRIALS = 200;
const CONFIDENCE = 0.95;

/** What the table tries. */
export const FLAWS: readonly Flaw[] = [
  biased(0.002),
  biased(0.004),
  biased(0.006),
  biased(0.008),
  correlated(0.002),
  correlated(0.004),
  correlated(0.006),
  correlated(0.008),
  periodic(64, 0.05),
  periodic(64, 0.1),
  periodic(1000, 0.05),
  periodic(1000, 0.1),
  periodic(1000, 0.2),
  repeated(4),
  repeated(8),
  repeated(16),
];

/** How many of the buffers with one flaw the gate stops; always the same. */
export function stopped(flaw: Flaw, place: number, trials = TRIALS): number {
  const gate = new BufferGate();
  const good = new GoodData(1000 + place);
  let count = 0;
  for (let trial = 0; trial < trials; trial += 1) {
    if (!gate.check(flaw.make(good, gate.statement.bytes)).passed) count += 1;
  }
  return count;
}

/** A row of the table. */
export function rowOf({ kind, strength }: Flaw, count: number): string {
  const [low, high] = exactInterval(count, TRIALS, CONFIDENCE);
  return `| ${kind} | ${strength} | ${percent(count / TRIALS)} | ${percent(low)} to ${percent(high)} |`;
}

/** The rows of a table as a document has them, without the padding of its columns. */
export function rowsIn(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) => line.replaceAll(/ +/g, ' '));
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
