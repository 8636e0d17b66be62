import { SymmetraError } from '@symmetra/crypto';
import { toeplitzKernel } from './toeplitz-kernel.js';
import type { ToeplitzKernel } from './toeplitz-kernel.js';

/** Bits of the largest matrix in either direction. */
const MAX_BITS = 65_536;
/**
 * Blocks that one seed may extract. Each adds its epsilon to that of all: blocks that are 2^-96 from uniform stay
 * within 2^-64 together.
 */
export const TOEPLITZ_BLOCKS_PER_SEED = 2 ** 32;

/** Rows of the kernel: the products of the input and 0 to 15, and the same times 16. */
const ROWS = 32;
const VECTOR_BYTES = 16;
/** Output bytes that the kernel makes at a time. */
const STRIP_BYTES = 128;

/** A Toeplitz matrix of `outputBits` rows and `inputBits` columns. */
export interface ToeplitzOptions {
  /** A multiple of 8, at most 65,536. */
  readonly inputBits: number;
  /** A multiple of 8, at most `inputBits`; what the input allows says `leftoverHashBits`. */
  readonly outputBits: number;
  /**
   * The inputBits + outputBits - 1 bits of the matrix, most significant first, in (inputBits + outputBits) / 8 bytes;
   * the last bit is not used. Uniform, and independent of the source that is extracted. It need not be secret.
   */
  readonly seed: Uint8Array;
  /** At most 2^32, which is the default. */
  readonly blocksPerSeed?: number;
}

/**
 * Randomness extraction with a Toeplitz matrix, a universal hash: output bit i is the XOR of seed[i - j + inputBits - 1]
 * over the input bits j that are 1, where bits count from the most significant one of the first byte. In WebAssembly;
 * neither branches nor addresses depend on the input, and nothing of it is left in memory after a call.
 */
export class Toeplitz {
  readonly #inputBytes: number;
  readonly #outputBytes: number;
  readonly #blocksPerSeed: number;
  readonly #strips: number;
  /** Where row 1 has the input, counted from the start of the row. */
  readonly #front: number;
  readonly #stride: number;
  readonly #rows: number;
  readonly #output: number;
  readonly #end: number;
  readonly #kernel: ToeplitzKernel;
  readonly #memory: Uint8Array;
  #listEnd = 0;
  #blocks = 0;
  #wiped = false;

  /** @throws EXTRACTOR_SIZE, EXTRACTOR_SEED_LENGTH */
  constructor({ inputBits, outputBits, seed, blocksPerSeed = TOEPLITZ_BLOCKS_PER_SEED }: ToeplitzOptions) {
    checkSizes(inputBits, outputBits, blocksPerSeed);
    this.#inputBytes = inputBits / 8;
    this.#outputBytes = outputBits / 8;
    this.#blocksPerSeed = blocksPerSeed;
    this.#strips = Math.ceil(this.#outputBytes / STRIP_BYTES);
    // Windows reach over both ends of the input by the length of the output, and read zeros there.
    this.#front = Math.max(VECTOR_BYTES, vectors(this.#outputBytes));
    this.#stride = this.#front + vectors(this.#inputBytes) + this.#strips * STRIP_BYTES + VECTOR_BYTES;
    this.#rows = vectors(((inputBits + outputBits) / 4) * Uint32Array.BYTES_PER_ELEMENT);
    this.#output = this.#rows + ROWS * this.#stride;
    this.#end = this.#output + this.#strips * STRIP_BYTES;
    this.#kernel = toeplitzKernel(this.#end);
    this.#memory = new Uint8Array(this.#kernel.memory.buffer);
    this.rotate(seed);
  }

  /** Blocks that the seed has extracted. */
  get blocks(): number {
    return this.#blocks;
  }

  /**
   * Takes another seed.
   * @throws EXTRACTOR_SEED_LENGTH, EXTRACTOR_WIPED
   */
  rotate(seed: Uint8Array): void {
    this.#checkAlive();
    const length = this.#inputBytes + this.#outputBytes;
    if (seed.length !== length) {
      throw new SymmetraError('EXTRACTOR_SEED_LENGTH', `the seed has ${seed.length} bytes, not ${length}`, {
        length: seed.length,
        needed: length,
      });
    }
    const list = new Uint32Array(this.#kernel.memory.buffer, 0, length * 2);
    let count = 0;
    for (let nibble = 0; nibble < length * 2; nibble++) {
      const byte = seed[nibble >> 1] as number;
      const value = nibble % 2 === 0 ? byte >> 4 : byte & 0x0f;
      if (value === 0) continue;
      // The window of the nibble's last bit starts at this bit of the input; rows times 16 give the half byte.
      const start = this.#inputBytes * 8 - 4 - nibble * 4;
      const row = start % 8 === 0 ? value : value + 16;
      list[count] = this.#rows + row * this.#stride + this.#front + Math.floor(start / 8);
      count += 1;
    }
    // Windows go in pairs: one more, of zeros, from row 0.
    if (count % 2 === 1) {
      list[count] = this.#rows;
      count += 1;
    }
    this.#listEnd = count * Uint32Array.BYTES_PER_ELEMENT;
    this.#blocks = 0;
  }

  /**
   * Extracts whole blocks.
   * @param input one or more blocks of inputBits; lent, so the caller wipes it.
   * @returns outputBits for each block, which the caller owns.
   * @throws EXTRACTOR_INPUT_LENGTH, EXTRACTOR_WIPED, EXTRACTOR_SEED_SPENT when the seed has done its blocks and
   *   another must be given with `rotate`; then nothing was extracted
   */
  extract(input: Uint8Array): Uint8Array {
    this.#checkAlive();
    const blocks = input.length / this.#inputBytes;
    if (!(Number.isInteger(blocks) && blocks > 0)) {
      throw new SymmetraError(
        'EXTRACTOR_INPUT_LENGTH',
        `the input has ${input.length} bytes, not blocks of ${this.#inputBytes}`,
        { length: input.length, blockLength: this.#inputBytes },
      );
    }
    if (this.#blocks + blocks > this.#blocksPerSeed) {
      throw new SymmetraError('EXTRACTOR_SEED_SPENT', 'the seed of the extractor has done its blocks', {
        blocks: this.#blocks,
        blocksPerSeed: this.#blocksPerSeed,
      });
    }
    const output = new Uint8Array(blocks * this.#outputBytes);
    const place = this.#rows + this.#stride + this.#front;
    for (let block = 0; block < blocks; block++) {
      this.#memory.set(input.subarray(block * this.#inputBytes, (block + 1) * this.#inputBytes), place);
      this.#multiply();
      const product = this.#memory.subarray(this.#output, this.#output + this.#outputBytes);
      output.set(product, block * this.#outputBytes);
    }
    this.#memory.fill(0, this.#rows, this.#end);
    this.#blocks += blocks;
    return output;
  }

  /** Zeroes what it holds, the matrix too, for good. */
  wipe(): void {
    this.#memory.fill(0);
    this.#wiped = true;
  }

  #multiply(): void {
    const first = this.#front - VECTOR_BYTES;
    this.#kernel.expand(this.#rows, this.#stride, first, this.#front + vectors(this.#inputBytes));
    if (this.#listEnd === 0) this.#memory.fill(0, this.#output, this.#end);
    else this.#kernel.accumulate(0, this.#listEnd, this.#output, this.#strips);
  }

  #checkAlive(): void {
    if (!this.#wiped) return;
    throw new SymmetraError('EXTRACTOR_WIPED', 'the extractor was used after it had been wiped');
  }
}

/** A number of bytes rounded up to whole vectors. */
function vectors(bytes: number): number {
  return Math.ceil(bytes / VECTOR_BYTES) * VECTOR_BYTES;
}

function checkSizes(inputBits: number, outputBits: number, blocksPerSeed: number): void {
  const wholeBytes = (bits: number): boolean => Number.isInteger(bits / 8) && bits > 0 && bits <= MAX_BITS;
  const sound =
    wholeBytes(inputBits) &&
    wholeBytes(outputBits) &&
    outputBits <= inputBits &&
    Number.isInteger(blocksPerSeed) &&
    blocksPerSeed > 0 &&
    blocksPerSeed <= TOEPLITZ_BLOCKS_PER_SEED;
  if (sound) return;
  throw new SymmetraError('EXTRACTOR_SIZE', 'the extractor can not have these sizes', {
    inputBits,
    outputBits,
    blocksPerSeed,
  });
}
