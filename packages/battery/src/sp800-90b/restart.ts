import { SymmetraError } from '@symmetra/crypto';
import { estimatorsFor, runEstimators } from './estimators.js';
import type { EstimatorResults, OnEstimator } from './estimators.js';
import { restartAlpha, restartCutoff, restartSize } from './restart-cutoff.js';
import { mapAlphabet, requireSamples } from './samples.js';

/** Clause 3.1.4.3: the highest count of one symbol in a row and in a column, against the cutoff. */
export interface RestartSanityCheck {
  readonly passed: boolean;
  readonly alpha: number;
  readonly cutoff: number;
  readonly highestInRow: number;
  readonly highestInColumn: number;
}

export type RestartAssessment = {
  readonly initialEntropy: number;
  readonly sanityCheck: RestartSanityCheck;
} & (
  | {
      /** `validated`: minEntropy = min(rows, columns, initialEntropy). Half the claim not reached: 0. */
      readonly verdict: 'validated' | 'below-half-of-claim';
      readonly minEntropy: number;
      readonly rows: EstimatorResults;
      readonly columns: EstimatorResults;
    }
  | { readonly verdict: 'sanity-check-failed'; readonly minEntropy: 0 }
);

/**
 * The restart test of SP 800-90B clause 3.1.4 on the non-IID track: 1000 restarts with 1000 samples
 * each, sample j after restart i at `matrix[i * 1000 + j]`, one per byte. All in bits per sample.
 * The estimators run on the row dataset and on the column dataset, without bitstrings, as in
 * NIST's ea_restart; after a failed sanity check none runs, and a failed test awards no entropy.
 *
 * @throws SymmetraError BATTERY_BAD_ARGUMENT for another size, or a claim outside 0..bitsPerSample;
 *   BATTERY_SAMPLE_RANGE
 */
export function assessRestarts(
  matrix: Uint8Array,
  bitsPerSample: number,
  initialEntropy: number,
  options: { readonly onEstimator?: OnEstimator } = {},
): RestartAssessment {
  requireRestarts(matrix, bitsPerSample, initialEntropy);
  const { symbols, alphabetSize } = mapAlphabet(matrix);
  const transposed = transpose(symbols);
  const cutoff = restartCutoff(initialEntropy);
  const highestInRow = highestCount(symbols);
  const highestInColumn = highestCount(transposed);
  const passed = Math.max(highestInRow, highestInColumn) <= cutoff;
  const sanityCheck = { passed, alpha: restartAlpha, cutoff, highestInRow, highestInColumn };
  if (!passed) return { verdict: 'sanity-check-failed', minEntropy: 0, initialEntropy, sanityCheck };

  const onRows = estimatorsFor({ symbols, alphabetSize });
  const onColumns = estimatorsFor({ symbols: transposed, alphabetSize });
  const total = onRows.length + onColumns.length;
  let done = 0;
  const rows = runEstimators(onRows, bitsPerSample, (name) =>
    options.onEstimator?.(`rows.${name}`, ++done, total),
  );
  const columns = runEstimators(onColumns, bitsPerSample, (name) =>
    options.onEstimator?.(`columns.${name}`, ++done, total),
  );
  const least = Math.min(rows.least, columns.least);
  const results = { initialEntropy, sanityCheck, rows, columns };
  if (least < initialEntropy / 2) return { verdict: 'below-half-of-claim', minEntropy: 0, ...results };
  return { verdict: 'validated', minEntropy: Math.min(least, initialEntropy), ...results };
}

function requireRestarts(matrix: Uint8Array, bitsPerSample: number, initialEntropy: number): void {
  requireSamples(matrix, bitsPerSample, 0);
  if (matrix.length !== restartSize * restartSize) {
    throw new SymmetraError('BATTERY_BAD_ARGUMENT', 'a restart matrix has 1000 rows of 1000 samples', {
      samples: matrix.length,
    });
  }
  if (!(initialEntropy >= 0 && initialEntropy <= bitsPerSample)) {
    throw new SymmetraError('BATTERY_BAD_ARGUMENT', 'the claim lies between 0 and the bits of a sample', {
      initialEntropy,
      bitsPerSample,
    });
  }
}

function transpose(rows: Uint8Array): Uint8Array {
  const columns = new Uint8Array(rows.length);
  for (let row = 0; row < restartSize; row++) {
    for (let column = 0; column < restartSize; column++) {
      columns[column * restartSize + row] = rows[row * restartSize + column]!;
    }
  }
  return columns;
}

/** The highest count of one symbol in any row. */
function highestCount(rows: Uint8Array): number {
  const counts = new Uint32Array(256);
  let highest = 0;
  for (let start = 0; start < rows.length; start += restartSize) {
    counts.fill(0);
    for (let i = start; i < start + restartSize; i++) {
      const count = ++counts[rows[i]!]!;
      if (count > highest) highest = count;
    }
  }
  return highest;
}
