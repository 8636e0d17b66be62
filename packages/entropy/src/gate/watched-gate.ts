import { ByteFrequencies } from '@symmetra/battery';
import { BufferGate } from './buffer-gate.js';
import type { BufferGateOptions } from './buffer-gate.js';
import { UNIFORM_GATE_TESTS } from './gate-tests.js';
import { RollingAggregate } from './rolling-aggregate.js';

/** Bytes between two looks at the sums, unless told otherwise. */
const CHECK_BYTES = 2 ** 24;
/** How often a look at good data shuts the gate. */
const FALSE_ALARM = 2 ** -40;

export interface WatchedGateOptions extends BufferGateOptions {
  /** How many bytes pass between two looks at the cumulative chi-square; 2^24 unless told otherwise. */
  readonly checkBytes?: number;
}

/** What a gate has seen in all that went through it. */
export interface GateWatch {
  /** Buffers that it looked at, and those of them that it threw away. */
  readonly buffers: number;
  readonly rejected: number;
  /** Bytes that passed, whose values are counted. */
  readonly bytes: number;
  /** How often good bytes are more uneven than these (chi-square of the 256 values); near 1 is too even. */
  readonly chiSquareP: number;
  /** Tests whose last p-values are too seldom good or not uniform; good data have one now and then. */
  readonly suspicious: readonly string[];
  /** The sums became impossible: nothing passes any more. */
  readonly shut: boolean;
}

/**
 * A {@link BufferGate} that also looks at all buffers together: the p-values of the last thousand, and the byte values
 * of everything that passed, ever. The former are figures to watch. The latter shut the gate, for good, when the
 * chi-square is too large or too small to be chance (2^-40 a look, one look in 16 MiB): then the extraction is
 * broken, or what feeds it, and no single buffer shows it.
 */
export class WatchedGate {
  readonly #gate: BufferGate;
  readonly #aggregate = new RollingAggregate({ tests: UNIFORM_GATE_TESTS });
  readonly #frequencies = new ByteFrequencies();
  readonly #checkBytes: number;
  #nextCheck: number;
  #buffers = 0;
  #rejected = 0;
  #shut = false;

  /** @throws GATE_BAD_ARGUMENT */
  constructor({ checkBytes = CHECK_BYTES, ...options }: WatchedGateOptions = {}) {
    this.#gate = new BufferGate(options);
    this.#checkBytes = checkBytes;
    this.#nextCheck = checkBytes;
  }

  get watch(): GateWatch {
    const { aggregates } = this.#aggregate;
    return {
      buffers: this.#buffers,
      rejected: this.#rejected,
      bytes: this.#frequencies.bytes,
      chiSquareP: this.#frequencies.chiSquare().probability,
      suspicious: Object.keys(aggregates).filter((test) => aggregates[test]?.passed === false),
      shut: this.#shut,
    };
  }

  /** Whether the buffer may be served. @throws GATE_BAD_ARGUMENT for a buffer of another length. */
  check(buffer: Uint8Array): { readonly passed: boolean } {
    const { passed, pValues } = this.#gate.check(buffer);
    this.#buffers++;
    this.#aggregate.add(pValues);
    if (passed) this.#count(buffer);
    if (passed && !this.#shut) return { passed };
    this.#rejected++;
    return { passed: false };
  }

  #count(buffer: Uint8Array): void {
    this.#frequencies.add(buffer);
    if (this.#frequencies.bytes < this.#nextCheck) return;
    this.#nextCheck += this.#checkBytes;
    const { probability } = this.#frequencies.chiSquare();
    if (Math.min(probability, 1 - probability) < FALSE_ALARM / 2) this.#shut = true;
  }
}
