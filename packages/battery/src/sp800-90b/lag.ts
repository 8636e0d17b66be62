import type { Estimate } from './estimate.js';
import { predictionEstimate } from './prediction.js';
import type { SymbolSequence } from './samples.js';

const lags = 128;

/**
 * The lag prediction estimate of SP 800-90B clause 6.3.8: predictors that repeat the symbol of
 * 1..128 places before; the one most often right so far is believed.
 *
 * For every symbol its last places stand in a ring: only lags that were right cost time.
 */
export function lagEstimate({ symbols, alphabetSize }: SymbolSequence): Estimate {
  const rings = new Int32Array(alphabetSize * lags).fill(-lags - 1);
  const ends = new Int32Array(alphabetSize);
  const scores = new Int32Array(lags);
  let winner = 0;
  let highest = 0;
  let correct = 0;
  let run = 0;
  let longestRun = 0;
  const first = symbols[0]!;
  rings[first * lags] = 0;
  ends[first] = 1;
  for (let i = 1; i < symbols.length; i++) {
    const symbol = symbols[i]!;
    if (symbol === symbols[i - winner - 1]) {
      correct++;
      run++;
      if (run > longestRun) longestRun = run;
    } else {
      run = 0;
    }
    const ring = symbol * lags;
    const end = ends[symbol]!;
    for (let back = 1; back <= lags; back++) {
      const offset = i - rings[ring + ((end - back) & (lags - 1))]! - 1;
      if (offset >= lags) break;
      const score = ++scores[offset]!;
      if (score >= highest) {
        highest = score;
        winner = offset;
      }
    }
    rings[ring + end] = i;
    ends[symbol] = (end + 1) & (lags - 1);
  }
  return predictionEstimate({ correct, predictions: symbols.length - 1, longestRun }, alphabetSize);
}
