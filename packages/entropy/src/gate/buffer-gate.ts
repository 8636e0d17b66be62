import { SymmetraError } from '@symmetra/crypto';
import { longRunTail } from './false-alarms.js';
import { GateBits } from './gate-bits.js';
import {
  CONTINUOUS_TESTS,
  COUNTING_TESTS,
  continuousPValues,
  countingPValues,
  countingSize,
} from './gate-tests.js';
import type { GateTest } from './gate-tests.js';

const DEFAULT_FAMILY_WISE = 2 ** -20;
const DEFAULT_BYTES = 32 * 1024;
/** Below this the limit distributions are too far off; above it more buffers are better than longer ones. */
const LEAST_BYTES = 4096;
const MOST_BYTES = 2 ** 20;

export interface BufferGateOptions {
  /** How often a good buffer may fail; 2^-20 unless told otherwise. Above 0, at most 0.1. */
  readonly familyWise?: number;
  /** The length of a buffer: a multiple of 4 from 4,096 to 1,048,576; 32,768 unless told otherwise. */
  readonly bytes?: number;
}

/** What a gate promises about good buffers. */
export interface GateStatement {
  readonly bytes: number;
  readonly tests: number;
  /** A test fails when its p-value is below this: Sidak's 1 - (1 - familyWise)^(1/tests). */
  readonly perTest: number;
  /** At most this share of good buffers fails. */
  readonly familyWise: number;
  /**
   * The share that fails when the tests are independent, with the steps of those that count: what measurements show,
   * or less, because a few tests look at the same thing.
   */
  readonly attained: number;
}

export interface GateVerdict {
  readonly passed: boolean;
  readonly pValues: Readonly<Record<GateTest, number>>;
  /** The tests that failed. */
  readonly failed: readonly GateTest[];
}

/**
 * Looks at a buffer of extracted bytes before it is served: the statistics of FIPS 140-2 over the whole buffer (ones,
 * nibbles, runs, the longest run, repeated words), comparisons of bits some distance apart, ENT's chi-square and
 * serial correlation, and the fast tests of SP 800-22. docs/entropy/gate.md says what it sees and what it can not.
 *
 * A buffer that fails is no proof against its source, nor one that passes a proof for it: this finds what is broken
 * on the way from there.
 */
export class BufferGate {
  readonly statement: GateStatement;
  readonly #longRunTails = new Map<number, number>();

  /** @throws GATE_BAD_ARGUMENT */
  constructor({ familyWise = DEFAULT_FAMILY_WISE, bytes = DEFAULT_BYTES }: BufferGateOptions = {}) {
    const fits =
      Number.isSafeInteger(bytes) && bytes % 4 === 0 && bytes >= LEAST_BYTES && bytes <= MOST_BYTES;
    if (!fits || !(familyWise > 0 && familyWise <= 0.1)) {
      throw new SymmetraError('GATE_BAD_ARGUMENT', 'a gate can not have this size or this error', {
        bytes,
        familyWise,
      });
    }
    const tests = COUNTING_TESTS.length + CONTINUOUS_TESTS.length;
    const perTest = -Math.expm1(Math.log1p(-familyWise) / tests);
    const counting = COUNTING_TESTS.map((test) => Math.log1p(-countingSize(test, bytes * 8, perTest)));
    const passes = counting.reduce((sum, one) => sum + one, CONTINUOUS_TESTS.length * Math.log1p(-perTest));
    this.statement = { bytes, tests, perTest, familyWise, attained: -Math.expm1(passes) };
  }

  /** @throws GATE_BAD_ARGUMENT for a buffer of another length. */
  check(buffer: Uint8Array): GateVerdict {
    const { bytes, perTest } = this.statement;
    if (buffer.length !== bytes) {
      throw new SymmetraError('GATE_BAD_ARGUMENT', 'the buffer has another length than the gate', {
        bytes: buffer.length,
        expected: bytes,
      });
    }
    const bits = new GateBits(buffer);
    try {
      const pValues = {
        ...countingPValues(bits, (run) => this.#longRunTail(run)),
        ...continuousPValues(buffer, bits),
      };
      const failed = (Object.keys(pValues) as GateTest[]).filter((test) => !(pValues[test] >= perTest));
      return { passed: failed.length === 0, pValues, failed };
    } finally {
      bits.wipe();
    }
  }

  #longRunTail(run: number): number {
    const known = this.#longRunTails.get(run);
    if (known !== undefined) return known;
    const tail = longRunTail(this.statement.bytes * 8, run);
    this.#longRunTails.set(run, tail);
    return tail;
  }
}
