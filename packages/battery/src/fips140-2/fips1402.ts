import { BlockCounter, FIPS1402_BLOCK_BYTES } from './block.js';
import type { BlockCounts } from './block.js';

/** The tests of FIPS 140-2 (4.9.1, as of 2001-10-10) and its continuous test. */
export type Fips1402Test = 'monobit' | 'poker' | 'runs' | 'longRun' | 'continuous';

/** What came of the blocks of a sequence. */
export interface Fips1402Result {
  /** Complete blocks of 20,000 bits; what is left at the end is not looked at. */
  readonly blocks: number;
  /** How many blocks failed each test. */
  readonly failures: Readonly<Record<Fips1402Test, number>>;
  /** How many blocks failed one test or several. */
  readonly failedBlocks: number;
}

/** Bounds that belong to the interval. */
type Bounds = readonly [number, number];

/** 9,725 < ones < 10,275. */
const ONES: Bounds = [9726, 10_274];
/** 2.16 < X < 46.17 for X = 16/5000 * sum - 5000. */
const NIBBLE_SQUARES: Bounds = [1_563_176, 1_576_928];
/** Of runs of 1, 2, 3, 4, 5, and 6 or more bits; zeros and ones each. */
const RUNS: readonly Bounds[] = [
  [2315, 2685],
  [1114, 1386],
  [527, 723],
  [240, 384],
  [103, 209],
  [103, 209],
];
const WORD_BYTES = 4;

/**
 * The tests of FIPS 140-2 over consecutive blocks of 20,000 bits, most significant bit first, with the thresholds of
 * its change notice 1 and rng-tools' `rngtest`; the continuous test compares each 32 bits of a block with the 32 bits
 * before them.
 *
 * Each run counts once, for its own bit and length, as the standard has it. `rngtest` counts the last run of a block
 * for the other bit, and where a block begins with another bit than the last one ended, one run of six ones or one
 * nibble 15 too many; of 100,000 good blocks it therefore judges about four differently.
 * @param previous the 4 bytes before the first block, if there are any: `rngtest` sets those apart that its input
 *   begins with.
 */
export function fips1402(bytes: Uint8Array, previous?: Uint8Array): Fips1402Result {
  const blocks = Math.floor(bytes.length / FIPS1402_BLOCK_BYTES);
  const failures: Record<Fips1402Test, number> = { monobit: 0, poker: 0, runs: 0, longRun: 0, continuous: 0 };
  const counter = new BlockCounter();
  let failedBlocks = 0;
  for (let block = 0; block < blocks; block += 1) {
    const offset = block * FIPS1402_BLOCK_BYTES;
    const failed = failedTests(counter.count(bytes, offset));
    if (repeatsWord(bytes, offset, previous)) failed.push('continuous');
    for (const test of failed) failures[test] += 1;
    if (failed.length > 0) failedBlocks += 1;
  }
  return { blocks, failures, failedBlocks };
}

/** The tests of one block that its counts fail. */
function failedTests({ ones, nibbleSquares, zeroRuns, oneRuns, longRun }: BlockCounts): Fips1402Test[] {
  const failed: Fips1402Test[] = [];
  if (!within(ones, ONES)) failed.push('monobit');
  if (!within(nibbleSquares, NIBBLE_SQUARES)) failed.push('poker');
  const runsFit = (counts: readonly number[]): boolean =>
    RUNS.every((bounds, i) => within(counts[i] ?? 0, bounds));
  if (!runsFit(zeroRuns) || !runsFit(oneRuns)) failed.push('runs');
  if (longRun) failed.push('longRun');
  return failed;
}

function within(value: number, [least, most]: Bounds): boolean {
  return value >= least && value <= most;
}

/** Whether 32 bits of the block equal the 32 bits before them. */
function repeatsWord(bytes: Uint8Array, offset: number, previous: Uint8Array | undefined): boolean {
  let word = wordBefore(bytes, offset, previous);
  const end = offset + FIPS1402_BLOCK_BYTES;
  for (let i = offset; i < end; i += WORD_BYTES) {
    const next = wordAt(bytes, i);
    if (next === word) return true;
    word = next;
  }
  return false;
}

function wordBefore(bytes: Uint8Array, offset: number, previous: Uint8Array | undefined): number | undefined {
  if (offset > 0) return wordAt(bytes, offset - WORD_BYTES);
  return previous === undefined ? undefined : wordAt(previous, previous.length - WORD_BYTES);
}

function wordAt(bytes: Uint8Array, i: number): number {
  return (
    (bytes[i] as number) |
    ((bytes[i + 1] as number) << 8) |
    ((bytes[i + 2] as number) << 16) |
    ((bytes[i + 3] as number) << 24)
  );
}
