import { BERLEKAMP_MASSEY_WASM } from '../generated/berlekamp-massey-wasm.js';
import { bitsAt, type BitSequence } from './bit-sequence.js';

// The compiler knows WebAssembly only as a part of browsers.
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
};

/** What packages/battery/wasm/berlekamp-massey.wat exports, and where its memory holds what. */
interface Kernel {
  readonly memory: { readonly buffer: ArrayBuffer };
  /** Takes `length` bits of each of the 128 sequences. */
  run(length: number): void;
}

const lanes = 128;
const wordsPerVector = lanes / 32;
const counterOffset = 32_768 / 4;
const counterDigits = 10;
/** Words of the kernel's memory that it uses. */
const usedWords = counterOffset + counterDigits * wordsPerVector;

/** The one instance: each call overwrites its memory before it returns. */
const instance: { kernel?: Kernel } = {};

function kernelInstance(): Kernel {
  instance.kernel ??= new WebAssembly.Instance(
    new WebAssembly.Module(
      Uint8Array.from(atob(BERLEKAMP_MASSEY_WASM), (character) => character.charCodeAt(0)),
    ),
  ).exports as Kernel;
  return instance.kernel;
}

/** Linear complexity of each of the first `blocks` blocks of `blockLength` bits (at most 511). */
export function linearComplexities(sequence: BitSequence, blockLength: number, blocks: number): Uint16Array {
  const kernel = kernelInstance();
  const memory = new Int32Array(kernel.memory.buffer, 0, usedWords);
  const complexities = new Uint16Array(blocks);
  for (let first = 0; first < blocks; first += lanes) {
    const count = Math.min(lanes, blocks - first);
    loadBlocks(memory, sequence, blockLength, first, count);
    kernel.run(blockLength);
    for (let lane = 0; lane < count; lane++) {
      complexities[first + lane] = (blockLength - counterOf(memory, lane)) / 2;
    }
  }
  memory.fill(0);
  return complexities;
}

/** Puts bit i of `count` blocks into vector i, as bit 31 - k % 32 of word k / 32; lanes left over repeat the last block. */
function loadBlocks(
  memory: Int32Array,
  { words }: BitSequence,
  blockLength: number,
  first: number,
  count: number,
): void {
  const square = new Int32Array(32);
  for (let word = 0; word < wordsPerVector; word++) {
    for (let from = 0; from < blockLength; from += 32) {
      const width = Math.min(32, blockLength - from);
      for (let row = 0; row < 32; row++) {
        const block = first + Math.min(word * 32 + row, count - 1);
        square[row] = bitsAt(words, block * blockLength + from, 32);
      }
      transpose(square);
      for (let i = 0; i < width; i++) memory[(from + i) * wordsPerVector + word] = square[i]!;
    }
    memory[blockLength * wordsPerVector + word] = 0;
  }
}

/** Turns 32 rows of 32 bits into its columns, exchanging ever smaller squares. */
function transpose(square: Int32Array): void {
  for (let size = 16, mask = 0x0000ffff; size > 0; size >>>= 1, mask ^= mask << size) {
    for (let row = 0; row < 32; row = (row + size + 1) & ~size) {
      const swap = (square[row]! ^ (square[row + size]! >>> size)) & mask;
      square[row]! ^= swap;
      square[row + size]! ^= swap << size;
    }
  }
}

/** The two's complement number of one block in the kernel's counter. */
function counterOf(memory: Int32Array, lane: number): number {
  const at = counterOffset + (lane >>> 5);
  let value = 0;
  for (let digit = 0; digit < counterDigits; digit++) {
    value |= ((memory[at + digit * wordsPerVector]! >>> (31 - (lane & 31))) & 1) << digit;
  }
  return (value << (32 - counterDigits)) >> (32 - counterDigits);
}
