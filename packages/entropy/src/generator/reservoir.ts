import { wipe } from '@symmetra/crypto';
import { SEED_ENTROPY_BITS } from '../extract/conditioner.js';
import type { TestedSource } from './tested-source.js';

/** An extracted block is cut in two for seeds: each half of 1024 bits carries more than a seed asks for. */
const PIECES_PER_BLOCK = 2;
/** What a source gives to the seeds of others: its whole strength, should the others be worthless. */
const MIXED_BYTES = 32;

/**
 * What one source has ready. Seeds and contributions to the seeds of others come from separate blocks, so that a
 * contribution never takes away what has been counted as available.
 */
export class Reservoir {
  readonly source: TestedSource;
  readonly #pieces: Uint8Array[] = [];
  readonly #contributions: Uint8Array[] = [];

  constructor(source: TestedSource) {
    this.source = source;
  }

  /** Whether seeds may rest on it now. */
  get serves(): boolean {
    return this.source.blockEntropyBits > 0 && this.qualified;
  }

  /** Whether its tests pass now. */
  get qualified(): boolean {
    return this.source.state === 'qualified';
  }

  /** What a piece is credited, in bits. */
  get pieceBits(): number {
    return this.source.blockEntropyBits / PIECES_PER_BLOCK;
  }

  /** How many seeds could rest on what is ready. */
  get seeds(): number {
    if (!this.serves) return 0;
    const pieces = this.#pieces.length + this.source.availableBlocks * PIECES_PER_BLOCK;
    return Math.floor(pieces / Math.ceil(SEED_ENTROPY_BITS / this.pieceBits));
  }

  /** The next piece, which the caller owns; undefined when the source has nothing ready. */
  takePiece(): Uint8Array | undefined {
    if (this.#pieces.length === 0) {
      const block = this.source.take();
      if (block === undefined) return undefined;
      const size = block.bytes.length / PIECES_PER_BLOCK;
      for (let at = 0; at < block.bytes.length; at += size) {
        this.#pieces.push(block.bytes.slice(at, at + size));
      }
      wipe(block.bytes);
    }
    return this.#pieces.pop();
  }

  /** What it adds to a seed that rests on another source; undefined when it has nothing to spare. */
  takeContribution(): Uint8Array | undefined {
    return this.#contributions.pop();
  }

  /** Sets a block aside for contributions when there are none. */
  setAside(): void {
    if (this.#contributions.length > 0 || !this.qualified) return;
    const block = this.source.take();
    if (block === undefined) return;
    for (let at = 0; at + MIXED_BYTES <= block.bytes.length; at += MIXED_BYTES) {
      this.#contributions.push(block.bytes.slice(at, at + MIXED_BYTES));
    }
    wipe(block.bytes);
  }

  /** Zeroes and forgets what it holds. */
  wipe(): void {
    wipe(...this.#pieces, ...this.#contributions);
    this.#pieces.length = 0;
    this.#contributions.length = 0;
  }
}
