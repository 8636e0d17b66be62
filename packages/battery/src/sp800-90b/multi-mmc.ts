import type { Estimate } from './estimate.js';
import { predictionEstimate } from './prediction.js';
import { extendHash, PrefixDictionary } from './prefix-dictionary.js';
import type { SymbolSequence } from './samples.js';

const depths = 16;
/** Pairs of a prefix and what follows it that a model of one depth holds at most. */
const pairsPerDepth = 100_000;

/**
 * The multi Markov-model-with-counting prediction estimate of SP 800-90B clause 6.3.9: sixteen
 * models predict what most often came after the last 1..16 symbols; the one most often right so far
 * is believed. Predicting and counting take turns, the shorter models first.
 */
export function multiMmcEstimate(sequence: SymbolSequence): Estimate {
  const board = new Scoreboard();
  if (sequence.alphabetSize === 2) predictBits(sequence.symbols, board);
  else predictSymbols(sequence, board);
  const predictions = sequence.symbols.length - 2;
  return predictionEstimate({ ...board.outcome(), predictions }, sequence.alphabetSize);
}

/** Which depth is believed, and how its predictions fared. */
class Scoreboard {
  private readonly scores = new Int32Array(depths);
  private winner = 0;
  private believed = 0;
  private correct = 0;
  private run = 0;
  private longestRun = 0;

  nextSymbol(): void {
    this.believed = this.winner;
  }

  record(depth: number, right: boolean): void {
    if (right && ++this.scores[depth]! >= this.scores[this.winner]!) this.winner = depth;
    if (depth !== this.believed) return;
    this.run = right ? this.run + 1 : 0;
    if (!right) return;
    this.correct++;
    if (this.run > this.longestRun) this.longestRun = this.run;
  }

  outcome(): { readonly correct: number; readonly longestRun: number } {
    return { correct: this.correct, longestRun: this.longestRun };
  }
}

/** The depths whose models still take new pairs. */
class Room {
  deepest = depths - 1;
  private readonly left = new Int32Array(depths).fill(pairsPerDepth);

  has(depth: number): boolean {
    return this.left[depth]! > 0;
  }

  take(depth: number): void {
    this.left[depth]!--;
    while (this.deepest >= 0 && this.left[this.deepest] === 0) this.deepest--;
  }
}

/** Tables over all patterns: those of `length` bits begin at 2^(length+1) - 4, two counts for each. */
function predictBits(bits: Uint8Array, board: Scoreboard): void {
  const counts = new Int32Array(2 ** (depths + 2));
  const room = new Room();
  let opening = 0;
  for (let depth = 0; depth < depths; depth++) {
    opening = (opening << 1) | bits[depth]!;
    counts[(4 << depth) - 4 + 2 * opening + bits[depth + 1]!] = 1;
    room.take(depth);
  }
  let history = bits[0]!;
  for (let i = 2; i < bits.length; i++) {
    const bit = bits[i]!;
    history = ((history << 1) | bits[i - 1]!) & 0xffff;
    board.nextSymbol();
    const reach = Math.min(depths, i - 1);
    for (let depth = 0; depth < reach; depth++) {
      const at = (4 << depth) - 4 + 2 * (history & ((2 << depth) - 1));
      const zeros = counts[at]!;
      const ones = counts[at + 1]!;
      if (zeros + ones > 0) {
        board.record(depth, (zeros > ones ? 0 : 1) === bit);
      } else if (depth > room.deepest) {
        break;
      }
      if (counts[at + bit]! > 0) {
        counts[at + bit]!++;
      } else if (room.has(depth)) {
        counts[at + bit] = 1;
        room.take(depth);
      }
    }
  }
}

function predictSymbols(sequence: SymbolSequence, board: Scoreboard): void {
  const { symbols } = sequence;
  const prefixes = new PrefixDictionary(sequence, Math.min(depths * pairsPerDepth, depths * symbols.length));
  const room = new Room();
  for (let depth = 0; depth < depths; depth++) {
    let hash = 0;
    for (let back = depth; back >= 0; back--) hash = extendHash(hash, symbols[back]!);
    prefixes.follow(prefixes.add(depth + 1, depth + 1, hash), symbols[depth + 1]!, true);
    room.take(depth);
  }
  for (let i = 2; i < symbols.length; i++) {
    const symbol = symbols[i]!;
    board.nextSymbol();
    const reach = Math.min(depths, i - 1);
    let hash = 0;
    let known = true;
    for (let depth = 0; depth < reach; depth++) {
      hash = extendHash(hash, symbols[i - depth - 1]!);
      if (!known && depth > room.deepest) break;
      const node = prefixes.find(i, depth + 1, hash);
      known &&= node >= 0;
      if (known) {
        board.record(depth, prefixes.prediction(node) === symbol);
        if (prefixes.follow(node, symbol, room.has(depth)) === 1) room.take(depth);
      } else if (room.has(depth)) {
        prefixes.follow(node >= 0 ? node : prefixes.add(i, depth + 1, hash), symbol, true);
        room.take(depth);
      }
    }
  }
}
