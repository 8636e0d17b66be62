import { huffmanLengths } from './huffman-lengths.js';

/** Symbols that share one choice of a code. */
const groupSize = 50;
const rounds = 4;
/** Which bytes occur: one bit for each 16 bytes, 16 bits for each of those. The space is in one, digits in the next. */
const mapBits = 16;
const codeCountBits = 3;
const groupCountBits = 15;
const firstLengthBits = 5;
/** A code length that makes a code unattractive at the start. */
const expensive = 15;

/** Bits that bzip2 spends on a block's last column (over space = 0, digits = 1..10) after its header. */
export function codedBits(column: Uint8Array): number {
  const used = usedSymbols(column);
  const tokens = moveToFront(column, used);
  const alphabetSize = used.length + 2;
  const { codes, selectors } = chooseCodes(tokens, alphabetSize);
  let bits = usageBits(used) + codeCountBits + groupCountBits + selectorBits(selectors, codes.length);
  for (const lengths of codes) bits += codeBits(lengths);
  for (let group = 0; group < selectors.length; group++) {
    bits += costOf(tokens, group, codes[selectors[group]!]!);
  }
  return bits;
}

function usedSymbols(column: Uint8Array): readonly number[] {
  const seen = new Uint8Array(256);
  for (const symbol of column) seen[symbol] = 1;
  return Array.from(seen.keys()).filter((symbol) => seen[symbol] === 1);
}

function usageBits(used: readonly number[]): number {
  const withSpace = used.includes(0) ? 1 : 0;
  const withDigits = used.some((symbol) => symbol > 0) ? 1 : 0;
  return mapBits * (1 + withSpace + withDigits);
}

/**
 * Ranks of recency: rank r > 0 becomes token r + 1; a run of rank 0 becomes its length in bijective
 * base 2 out of the tokens 0 and 1; the last token ends the block.
 */
function moveToFront(column: Uint8Array, used: readonly number[]): Uint8Array {
  const tokens = new Uint8Array(column.length + 1);
  const recent = Uint8Array.from(used);
  let count = 0;
  let zeros = 0;
  const flush = (): void => {
    for (; zeros > 0; zeros = (zeros - 1) >>> 1) tokens[count++] = (zeros - 1) & 1;
  };
  for (const symbol of column) {
    if (recent[0] === symbol) {
      zeros++;
      continue;
    }
    flush();
    const rank = recent.indexOf(symbol);
    recent.copyWithin(1, 0, rank);
    recent[0] = symbol;
    tokens[count++] = rank + 1;
  }
  flush();
  tokens[count++] = used.length + 1;
  return tokens.subarray(0, count);
}

interface CodeChoice {
  readonly codes: readonly Uint8Array[];
  /** The code of every group of 50 tokens. */
  readonly selectors: Uint8Array;
}

/** Two to six codes: four times each group takes its cheapest and every code is made for its groups. */
function chooseCodes(tokens: Uint8Array, alphabetSize: number): CodeChoice {
  let codes = firstCodes(tokens, alphabetSize, codeCountFor(tokens.length));
  const selectors = new Uint8Array(Math.ceil(tokens.length / groupSize));
  for (let round = 0; round < rounds; round++) {
    const frequencies = codes.map(() => new Int32Array(alphabetSize));
    for (let group = 0; group < selectors.length; group++) {
      let cheapest = 0;
      let least = Infinity;
      for (let code = 0; code < codes.length; code++) {
        const cost = costOf(tokens, group, codes[code]!);
        if (cost >= least) continue;
        least = cost;
        cheapest = code;
      }
      selectors[group] = cheapest;
      const end = Math.min((group + 1) * groupSize, tokens.length);
      for (let i = group * groupSize; i < end; i++) frequencies[cheapest]![tokens[i]!]!++;
    }
    codes = frequencies.map(huffmanLengths);
  }
  return { codes, selectors };
}

function codeCountFor(tokens: number): number {
  const limits = [200, 600, 1200, 2400];
  return 2 + limits.filter((limit) => tokens >= limit).length;
}

/** To begin with, each code is good for one range of tokens of about the same total frequency. */
function firstCodes(tokens: Uint8Array, alphabetSize: number, count: number): readonly Uint8Array[] {
  const frequencies = new Int32Array(alphabetSize);
  for (const token of tokens) frequencies[token]!++;
  const codes = Array.from({ length: count }, () => new Uint8Array(alphabetSize).fill(expensive));
  let remaining = tokens.length;
  let start = 0;
  for (let left = count; left > 0; left--) {
    const aim = Math.floor(remaining / left);
    let end = start;
    let total = 0;
    while (total < aim && end < alphabetSize) total += frequencies[end++]!;
    if (end - 1 > start && left !== count && left !== 1 && (count - left) % 2 === 1) {
      total -= frequencies[--end]!;
    }
    codes[left - 1]!.fill(0, start, end);
    start = end;
    remaining -= total;
  }
  return codes;
}

function costOf(tokens: Uint8Array, group: number, lengths: Uint8Array): number {
  const end = Math.min((group + 1) * groupSize, tokens.length);
  let cost = 0;
  for (let i = group * groupSize; i < end; i++) cost += lengths[tokens[i]!]!;
  return cost;
}

/** Choices as ranks of recency, in unary with an end bit. */
function selectorBits(selectors: Uint8Array, codes: number): number {
  const recent = Array.from({ length: codes }, (_, code) => code);
  let bits = 0;
  for (const selector of selectors) {
    const rank = recent.indexOf(selector);
    recent.splice(rank, 1);
    recent.unshift(selector);
    bits += rank + 1;
  }
  return bits;
}

/** The first length, then for each symbol two bits per step up or down and one to end. */
function codeBits(lengths: Uint8Array): number {
  let bits = firstLengthBits;
  let current = lengths[0]!;
  for (const length of lengths) {
    bits += 2 * Math.abs(length - current) + 1;
    current = length;
  }
  return bits;
}
