import { PairCounts } from './pair-counts.js';
import type { SymbolSequence } from './samples.js';

const multiplier = 0x9e3779b1;
const logOfFirstPairs = 16;

/** The hash of a prefix that begins one symbol earlier than the prefix of `hash` (0: the empty one). */
export function extendHash(hash: number, symbol: number): number {
  const mixed = Math.imul(hash ^ (symbol + 1), multiplier);
  return mixed ^ (mixed >>> 15);
}

/**
 * Prefixes of up to 16 symbols, each with the symbols that came after it: how often each did, and
 * which did most often (of several the largest). A prefix is named by a place in the sequence:
 * the `length` symbols before `end`. Its number (node) stays the same.
 */
export class PrefixDictionary {
  size = 0;
  private readonly symbols: Uint8Array;
  private readonly alphabetSize: number;
  private readonly slots: Int32Array;
  private readonly hashes: Int32Array;
  private readonly ends: Int32Array;
  private readonly lengths: Uint8Array;
  private readonly highest: Int32Array;
  private readonly predictions: Uint8Array;
  private readonly followers = new PairCounts(logOfFirstPairs);

  /** `capacity`: how many prefixes it will hold at most. */
  constructor({ symbols, alphabetSize }: SymbolSequence, capacity: number) {
    this.symbols = symbols;
    this.alphabetSize = alphabetSize;
    this.slots = new Int32Array(2 ** Math.ceil(Math.log2(capacity) + 1));
    this.hashes = new Int32Array(capacity);
    this.ends = new Int32Array(capacity);
    this.lengths = new Uint8Array(capacity);
    this.highest = new Int32Array(capacity);
    this.predictions = new Uint8Array(capacity);
  }

  /** The node of a prefix, -1 when it is not there. */
  find(end: number, length: number, hash: number): number {
    const { slots, hashes } = this;
    const mask = slots.length - 1;
    for (let slot = (hash + length) & mask; ; slot = (slot + 1) & mask) {
      const node = slots[slot]! - 1;
      if (node < 0 || (hashes[node] === hash && this.isAt(node, end, length))) return node;
    }
  }

  /** Adds a prefix that is not there. */
  add(end: number, length: number, hash: number): number {
    const { slots } = this;
    const mask = slots.length - 1;
    let slot = (hash + length) & mask;
    while (slots[slot] !== 0) slot = (slot + 1) & mask;
    const node = this.size++;
    slots[slot] = node + 1;
    this.hashes[node] = hash;
    this.ends[node] = end;
    this.lengths[node] = length;
    return node;
  }

  /** What most often came after the prefix. */
  prediction(node: number): number {
    return this.predictions[node]!;
  }

  /** How often that did. */
  count(node: number): number {
    return this.highest[node]!;
  }

  /** `symbol` came after the prefix: its count then, 0 when it is new there and may not be added. */
  follow(node: number, symbol: number, mayAdd: boolean): number {
    const count = this.followers.increment(node * this.alphabetSize + symbol, mayAdd);
    const highest = this.highest[node]!;
    if (count > highest || (count === highest && count > 0 && symbol > this.predictions[node]!)) {
      this.highest[node] = count;
      this.predictions[node] = symbol;
    }
    return count;
  }

  private isAt(node: number, end: number, length: number): boolean {
    if (this.lengths[node] !== length) return false;
    const { symbols } = this;
    const known = this.ends[node]!;
    for (let back = 1; back <= length; back++) {
      if (symbols[known - back] !== symbols[end - back]) return false;
    }
    return true;
  }
}
