import { SymmetraError } from '@symmetra/crypto';
import { bitSequence, type BitSequence } from './bit-sequence.js';
import { blockFrequencyTest, frequencyTest } from './frequency.js';
import { linearComplexityTest } from './linear-complexity.js';
import { approximateEntropyTest, preparePatterns, serialTest } from './patterns.js';
import { cumulativeSumsTest, randomExcursionsTest, randomExcursionsVariantTest } from './random-walk.js';
import { rankTest } from './rank.js';
import { longestRunTest, runsTest } from './runs.js';
import { spectralTest } from './spectral.js';
import { nonOverlappingTemplateTest, overlappingTemplateTest } from './templates.js';
import { universalTest } from './universal.js';

/** The tests of SP 800-22 rev 1a, in the order of NIST's program. */
export const SP80022_TESTS = [
  'Frequency',
  'BlockFrequency',
  'CumulativeSums',
  'Runs',
  'LongestRun',
  'Rank',
  'FFT',
  'NonOverlappingTemplate',
  'OverlappingTemplate',
  'Universal',
  'ApproximateEntropy',
  'RandomExcursions',
  'RandomExcursionsVariant',
  'Serial',
  'LinearComplexity',
] as const;

export type Sp80022TestName = (typeof SP80022_TESTS)[number];

/**
 * `nist-sts-2.1.2`: the defaults, figures and limits of NIST's program. `corrected`: true
 * probabilities, block lengths that follow the document's advice, and an empty list below the
 * document's least lengths. docs/entropy/sp800-22.md has each difference.
 */
export type Sp80022Profile = 'nist-sts-2.1.2' | 'corrected';

/** p-values by test, in the order of STS's result files; a test that does not apply has none. */
export type Sp80022Result = Readonly<Record<Sp80022TestName, readonly number[]>>;

export interface Sp80022Options<Name extends Sp80022TestName = Sp80022TestName> {
  readonly profile: Sp80022Profile;
  /** Bits of the sequence, from the first byte's most significant on; all by default. At least 100. */
  readonly bits?: number;
  /** The tests to run, all by default; what they have in common is counted once. */
  readonly tests?: readonly Name[];
  /** Called after each test. */
  readonly onTest?: (name: Name) => void;
}

/** Shorter sequences than this no test of the document is meant for. */
const fewestBits = 100;

/** The spectral test takes some 30 bytes of memory per bit; the document asks for about 10^6 bits. */
const mostBits = 2 ** 27;

type Test = (sequence: BitSequence, exact: boolean) => number[];

/** The least length that SP 800-22 names for each test (2.x.7). */
const leastBits: Readonly<Record<Sp80022TestName, number>> = {
  Frequency: 100,
  BlockFrequency: 100,
  CumulativeSums: 100,
  Runs: 100,
  LongestRun: 128,
  Rank: 38_912,
  FFT: 1000,
  NonOverlappingTemplate: 38_912,
  OverlappingTemplate: 1_000_000,
  Universal: 387_840,
  ApproximateEntropy: 256,
  RandomExcursions: 1_000_000,
  RandomExcursionsVariant: 1_000_000,
  Serial: 256,
  LinearComplexity: 1_000_000,
};

const tests: Readonly<Record<Sp80022TestName, Test>> = {
  Frequency: frequencyTest,
  BlockFrequency: (sequence, exact) => blockFrequencyTest(sequence, frequencyBlock(sequence.length, exact)),
  CumulativeSums: cumulativeSumsTest,
  Runs: runsTest,
  LongestRun: longestRunTest,
  Rank: rankTest,
  FFT: spectralTest,
  NonOverlappingTemplate: nonOverlappingTemplateTest,
  OverlappingTemplate: overlappingTemplateTest,
  Universal: universalTest,
  ApproximateEntropy: (sequence, exact) =>
    approximateEntropyTest(sequence, entropyPattern(sequence.length, exact)),
  RandomExcursions: randomExcursionsTest,
  RandomExcursionsVariant: randomExcursionsVariantTest,
  Serial: (sequence, exact) => serialTest(sequence, serialPattern(sequence.length, exact)),
  LinearComplexity: linearComplexityTest,
};

/** Block of BlockFrequency: 128, or the document's "above a hundredth of the bits": a power of two, at least 32. */
function frequencyBlock(bits: number, exact: boolean): number {
  return exact ? Math.max(32, 2 ** (Math.floor(Math.log2(bits / 100)) + 1)) : 128;
}

/** Pattern of ApproximateEntropy: 10, or less where the document asks m < floor(log2 n) - 5. */
function entropyPattern(bits: number, exact: boolean): number {
  return exact ? Math.min(10, Math.floor(Math.log2(bits)) - 6) : 10;
}

/** Pattern of Serial: 16, or less where the document asks m < floor(log2 n) - 2. */
function serialPattern(bits: number, exact: boolean): number {
  return exact ? Math.min(16, Math.floor(Math.log2(bits)) - 3) : 16;
}

/**
 * Runs the statistical tests of NIST SP 800-22 rev 1a over one sequence of bits, most significant
 * first in each byte.
 *
 * The bytes are read only; what is copied of them is overwritten before return.
 *
 * @throws SymmetraError BATTERY_TOO_FEW_BITS below 100 bits or when `bits` are more than the bytes
 *   hold; BATTERY_TOO_MANY_BITS above 2^27 bits; BATTERY_BAD_ARGUMENT when `bits` is not whole
 */
export function sp80022<Name extends Sp80022TestName = Sp80022TestName>(
  bytes: Uint8Array,
  options: Sp80022Options<Name>,
): Readonly<Record<Name, readonly number[]>> {
  const bits = options.bits ?? bytes.length * 8;
  requireLength(bits);
  const sequence = bitSequence(bytes, bits);
  const exact = options.profile === 'corrected';
  const chosen = options.tests ?? (SP80022_TESTS as readonly Sp80022TestName[] as readonly Name[]);
  prepareLongestPatterns(sequence, exact, chosen);
  const results: Partial<Record<Name, readonly number[]>> = {};
  try {
    for (const name of chosen) {
      const applies = !exact || sequence.length >= leastBits[name];
      results[name] = applies ? tests[name](sequence, exact) : [];
      options.onTest?.(name);
    }
  } finally {
    sequence.words.fill(0);
  }
  return results as Record<Name, readonly number[]>;
}

/** Counts the patterns of Serial before ApproximateEntropy asks for its shorter ones. */
function prepareLongestPatterns(
  sequence: BitSequence,
  exact: boolean,
  chosen: readonly Sp80022TestName[],
): void {
  if (chosen.includes('Serial') && (!exact || sequence.length >= leastBits.Serial)) {
    preparePatterns(sequence, serialPattern(sequence.length, exact));
  }
}

function requireLength(bits: number): void {
  if (bits < fewestBits) {
    throw new SymmetraError('BATTERY_TOO_FEW_BITS', 'SP 800-22 needs a sequence of at least 100 bits', {
      present: bits,
      needed: fewestBits,
    });
  }
  if (bits > mostBits) {
    throw new SymmetraError('BATTERY_TOO_MANY_BITS', 'SP 800-22 takes a sequence of at most 2^27 bits', {
      present: bits,
      most: mostBits,
    });
  }
}
