import { igamc } from '../special/gamma.js';
import { bitsAt, type BitSequence } from './bit-sequence.js';

/** Length of the templates, non-overlapping and overlapping. */
const templateLength = 9;

/** Blocks of the non-overlapping test. */
const templateBlocks = 8;

/** The 148 templates of nine bits no proper start of which is also their end, in rising order. */
const aperiodicTemplates: readonly number[] = Array.from(
  { length: 2 ** templateLength },
  (_, template) => template,
).filter((template) => {
  for (let overlap = 1; overlap < templateLength; overlap++) {
    if (template >>> (templateLength - overlap) === (template & (2 ** overlap - 1))) return false;
  }
  return true;
});

/**
 * SP 800-22 2.7: does each aperiodic template of nine bits occur as often as it should in each of
 * eight blocks? One p-value per template. An aperiodic template can not overlap itself, so its
 * occurrences are its count among all windows, and one histogram per block serves all templates.
 * Not applicable where no window fits a block.
 */
export function nonOverlappingTemplateTest(sequence: BitSequence): number[] {
  const blockLength = Math.floor(sequence.length / templateBlocks);
  const windows = blockLength - templateLength + 1;
  if (windows <= 0) return [];
  const mean = windows / 2 ** templateLength;
  const variance = blockLength * (2 ** -templateLength - (2 * templateLength - 1) * 4 ** -templateLength);
  const chiSquares = new Float64Array(2 ** templateLength);
  const counts = new Uint32Array(2 ** templateLength);
  for (let block = 0; block < templateBlocks; block++) {
    countWindows(sequence.words, block * blockLength, windows, counts.fill(0));
    for (const template of aperiodicTemplates) {
      chiSquares[template]! += (counts[template]! - mean) ** 2 / variance;
    }
  }
  return aperiodicTemplates.map((template) => igamc(templateBlocks / 2, chiSquares[template]! / 2));
}

/** Adds to `counts` the nine-bit windows that start at `windows` positions from bit `from` on. */
function countWindows(words: Uint32Array, from: number, windows: number, counts: Uint32Array): void {
  let at = from;
  const end = from + windows;
  for (; at + 16 <= end; at += 16) {
    const group = bitsAt(words, at, 24);
    counts[group >>> 15]! += 1;
    counts[(group >>> 14) & 511]! += 1;
    counts[(group >>> 13) & 511]! += 1;
    counts[(group >>> 12) & 511]! += 1;
    counts[(group >>> 11) & 511]! += 1;
    counts[(group >>> 10) & 511]! += 1;
    counts[(group >>> 9) & 511]! += 1;
    counts[(group >>> 8) & 511]! += 1;
    counts[(group >>> 7) & 511]! += 1;
    counts[(group >>> 6) & 511]! += 1;
    counts[(group >>> 5) & 511]! += 1;
    counts[(group >>> 4) & 511]! += 1;
    counts[(group >>> 3) & 511]! += 1;
    counts[(group >>> 2) & 511]! += 1;
    counts[(group >>> 1) & 511]! += 1;
    counts[group & 511]! += 1;
  }
  for (; at < end; at++) counts[bitsAt(words, at, templateLength)]! += 1;
}

/** Block of the overlapping test, in bits and bytes; classes are 0, 1, ... 4 and 5 or more occurrences. */
const overlappingBlock = 1032;
const overlappingBytes = overlappingBlock / 8;
const overlappingClasses = 6;

/**
 * SP 800-22 2.8: does the template of nine ones occur as often as it should in blocks of 1,032
 * bits? `exact` takes the true class probabilities, otherwise STS's asymptotic ones. Not
 * applicable below one block.
 */
export function overlappingTemplateTest(sequence: BitSequence, exact: boolean): number[] {
  const blocks = Math.floor(sequence.length / overlappingBlock);
  if (blocks === 0) return [];
  const probabilities = overlappingProbabilities(exact);
  const counts = probabilities.map(() => 0);
  for (let block = 0; block < blocks; block++) {
    const found = countNineOnes(sequence.bytes, block * overlappingBytes, (block + 1) * overlappingBytes);
    counts[Math.min(found, overlappingClasses - 1)]! += 1;
  }
  let chiSquare = 0;
  for (const [i, probability] of probabilities.entries()) {
    chiSquare += (counts[i]! - blocks * probability) ** 2 / (blocks * probability);
  }
  return [igamc((overlappingClasses - 1) / 2, chiSquare / 2)];
}

/**
 * How a byte moves the length of the current run of ones (0 to 8, 8 standing for all longer) and
 * how many windows of nine ones end in it: next run + 16 * windows, at run * 256 + byte.
 */
const nineOnesTable = (() => {
  const table = new Uint8Array(templateLength * 256);
  for (let run = 0; run < templateLength; run++) {
    for (let byte = 0; byte < 256; byte++) {
      let length = run;
      let found = 0;
      for (let bit = 7; bit >= 0; bit--) {
        length = (byte >>> bit) & 1 ? length + 1 : 0;
        if (length >= templateLength) found++;
      }
      table[run * 256 + byte] = Math.min(length, templateLength - 1) + 16 * found;
    }
  }
  return table;
})();

function countNineOnes(bytes: Uint8Array, from: number, to: number): number {
  let run = 0;
  let found = 0;
  for (let i = from; i < to; i++) {
    const step = nineOnesTable[run * 256 + bytes[i]!]!;
    run = step & 15;
    found += step >>> 4;
  }
  return found;
}

const probabilitiesByKind = new Map<boolean, readonly number[]>();

/** Probabilities of 0, 1, 2, 3, 4 and 5 or more occurrences in a block. */
function overlappingProbabilities(exact: boolean): readonly number[] {
  const known = probabilitiesByKind.get(exact);
  if (known !== undefined) return known;
  const inner = exact ? exactOccurrences() : asymptoticOccurrences();
  const probabilities = [...inner, 1 - inner.reduce((sum, value) => sum + value, 0)];
  probabilitiesByKind.set(exact, probabilities);
  return probabilities;
}

/** SP 800-22 3.8 as STS has it: a compound Poisson law that holds only in the limit. */
function asymptoticOccurrences(): number[] {
  const eta = (overlappingBlock - templateLength + 1) / 2 ** (templateLength + 1);
  return Array.from({ length: overlappingClasses - 1 }, (_, u) => {
    if (u === 0) return Math.exp(-eta);
    let sum = 0;
    let ways = 1;
    let power = eta;
    for (let l = 1; l <= u; l++) {
      sum += ways * power;
      ways = (ways * (u - l)) / l;
      power *= eta / (l + 1);
    }
    return Math.exp(-eta) * 2 ** -u * sum;
  });
}

/** The true law, bit by bit: state = (current run of ones up to nine, occurrences up to five). */
function exactOccurrences(): number[] {
  let states = new Float64Array(templateLength * overlappingClasses);
  states[0] = 1;
  for (let bit = 0; bit < overlappingBlock; bit++) {
    const next = new Float64Array(states.length);
    for (let run = 0; run < templateLength; run++) {
      for (let found = 0; found < overlappingClasses; found++) {
        const half = states[run * overlappingClasses + found]! / 2;
        next[found]! += half;
        const hits = run === templateLength - 1 ? 1 : 0;
        const longer = Math.min(run + 1, templateLength - 1);
        next[longer * overlappingClasses + Math.min(found + hits, overlappingClasses - 1)]! += half;
      }
    }
    states = next;
  }
  return Array.from({ length: overlappingClasses - 1 }, (_, found) => {
    let sum = 0;
    for (let run = 0; run < templateLength; run++) sum += states[run * overlappingClasses + found]!;
    return sum;
  });
}
