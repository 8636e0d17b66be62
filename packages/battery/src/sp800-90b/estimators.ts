import { collisionEstimate } from './collision.js';
import { compressionEstimate } from './compression.js';
import type { Estimate } from './estimate.js';
import { lagEstimate } from './lag.js';
import { lrsEstimate } from './lrs.js';
import { lz78yEstimate } from './lz78y.js';
import { markovEstimate } from './markov.js';
import { mostCommonValueEstimate } from './most-common-value.js';
import { multiMcwEstimate } from './multi-mcw.js';
import { multiMmcEstimate } from './multi-mmc.js';
import { repeatedTuplesOf } from './repeated-tuples.js';
import type { RepeatedTuples } from './repeated-tuples.js';
import type { SymbolSequence } from './samples.js';
import { tTupleEstimate } from './t-tuple.js';

/** One estimator of clause 6.3, ready to run; undefined when the sequence gives it nothing to count. */
export interface Estimator {
  readonly name: string;
  readonly run: () => Estimate | undefined;
}

/** Called after every estimator: its name, how many are done and how many there are. */
export type OnEstimator = (name: string, done: number, total: number) => void;

/** What a list of estimators gave: each one's min-entropy and steps by name, and the least of all. */
export interface EstimatorResults {
  readonly least: number;
  readonly estimators: Readonly<Record<string, number>>;
  readonly steps: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/**
 * What clause 6.3 allows on a sequence itself: all ten estimators when it is binary, else the seven
 * that take any alphabet; the most common value alone when there is but one symbol.
 */
export function estimatorsFor(sequence: SymbolSequence): readonly Estimator[] {
  const { symbols, alphabetSize } = sequence;
  const mostCommonValue = { name: 'mostCommonValue', run: () => mostCommonValueEstimate(symbols) };
  if (alphabetSize < 2) return [mostCommonValue];
  let counted: RepeatedTuples | undefined;
  const tuples = (): RepeatedTuples => (counted ??= repeatedTuplesOf(sequence));
  const onlyOnBits: readonly Estimator[] = [
    { name: 'collision', run: () => collisionEstimate(symbols) },
    { name: 'markov', run: () => markovEstimate(symbols) },
    { name: 'compression', run: () => compressionEstimate(symbols) },
  ];
  return [
    mostCommonValue,
    ...(alphabetSize === 2 ? onlyOnBits : []),
    { name: 'tTuple', run: () => tTupleEstimate(tuples()) },
    { name: 'lrs', run: () => lrsEstimate(tuples()) },
    { name: 'multiMcw', run: () => multiMcwEstimate(sequence) },
    { name: 'lag', run: () => lagEstimate(sequence) },
    { name: 'multiMmc', run: () => multiMmcEstimate(sequence) },
    { name: 'lz78y', run: () => lz78yEstimate(sequence) },
  ];
}

/** Runs them in turn; `atMost` is the entropy that a symbol of full entropy has. */
export function runEstimators(
  list: readonly Estimator[],
  atMost: number,
  onEstimator?: (name: string) => void,
): EstimatorResults {
  const estimators: Record<string, number> = {};
  const steps: Record<string, Readonly<Record<string, number>>> = {};
  let least = atMost;
  for (const { name, run } of list) {
    const estimate = run();
    if (estimate !== undefined) {
      estimators[name] = estimate.minEntropy;
      steps[name] = estimate.steps;
      least = Math.min(least, estimate.minEntropy);
    }
    onEstimator?.(name);
  }
  return { least, estimators, steps };
}
