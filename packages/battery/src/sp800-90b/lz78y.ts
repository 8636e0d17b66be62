import type { Estimate } from './estimate.js';
import { predictionEstimate } from './prediction.js';
import type { PredictionCount } from './prediction.js';
import { extendHash, PrefixDictionary } from './prefix-dictionary.js';
import type { SymbolSequence } from './samples.js';

/** The longest prefix (B in clause 6.3.10). */
const longestPrefix = 16;
const maximumPrefixes = 65_536;

/**
 * The LZ78Y prediction estimate of SP 800-90B clause 6.3.10: a dictionary of the first 65,536
 * prefixes of up to 16 symbols; believed is the prefix of which some follower was seen most often,
 * of several the longest.
 */
export function lz78yEstimate(sequence: SymbolSequence): Estimate {
  const count = sequence.alphabetSize === 2 ? predictBits(sequence.symbols) : predictSymbols(sequence);
  return predictionEstimate(count, sequence.alphabetSize);
}

/** Tables over all patterns: those of `length` bits begin at 2^(length+1) - 4, two counts for each. */
function predictBits(bits: Uint8Array): PredictionCount {
  const counts = new Int32Array(2 ** (longestPrefix + 2));
  let history = 0;
  for (let i = 0; i < longestPrefix; i++) history = (history << 1) | bits[i]!;
  for (let length = 1; length <= longestPrefix; length++) {
    counts[(2 << length) - 4 + 2 * (history & ((1 << length) - 1)) + bits[longestPrefix]!] = 1;
  }
  let prefixes = longestPrefix;
  let correct = 0;
  let run = 0;
  let longestRun = 0;
  for (let i = longestPrefix + 1; i < bits.length; i++) {
    const bit = bits[i]!;
    history = ((history << 1) | bits[i - 1]!) & 0xffff;
    let highest = 0;
    let prediction = -1;
    for (let length = longestPrefix; length > 0; length--) {
      const at = (2 << length) - 4 + 2 * (history & ((1 << length) - 1));
      const zeros = counts[at]!;
      const ones = counts[at + 1]!;
      if (zeros + ones > 0) {
        if (zeros > ones) {
          if (zeros > highest) {
            highest = zeros;
            prediction = 0;
          }
        } else if (ones > highest) {
          highest = ones;
          prediction = 1;
        }
        counts[at + bit]!++;
      } else if (prefixes < maximumPrefixes) {
        counts[at + bit] = 1;
        prefixes++;
      }
    }
    run = prediction === bit ? run + 1 : 0;
    if (run > 0) correct++;
    if (run > longestRun) longestRun = run;
  }
  return { correct, predictions: bits.length - longestPrefix - 1, longestRun };
}

function predictSymbols(sequence: SymbolSequence): PredictionCount {
  const { symbols } = sequence;
  const prefixes = new PrefixDictionary(sequence, maximumPrefixes);
  const hashes = new Int32Array(longestPrefix + 1);
  const hashBefore = (end: number): void => {
    for (let length = 1; length <= longestPrefix; length++) {
      hashes[length] = extendHash(hashes[length - 1]!, symbols[end - length]!);
    }
  };
  hashBefore(longestPrefix);
  for (let length = 1; length <= longestPrefix; length++) {
    prefixes.follow(prefixes.add(longestPrefix, length, hashes[length]!), symbols[longestPrefix]!, true);
  }
  let correct = 0;
  let run = 0;
  let longestRun = 0;
  for (let i = longestPrefix + 1; i < symbols.length; i++) {
    const symbol = symbols[i]!;
    hashBefore(i);
    let highest = 0;
    let prediction = -1;
    for (let length = longestPrefix; length > 0; length--) {
      const node = prefixes.find(i, length, hashes[length]!);
      if (node >= 0) {
        if (prefixes.count(node) > highest) {
          highest = prefixes.count(node);
          prediction = prefixes.prediction(node);
        }
        prefixes.follow(node, symbol, true);
      } else if (prefixes.size < maximumPrefixes) {
        prefixes.follow(prefixes.add(i, length, hashes[length]!), symbol, true);
      }
    }
    run = prediction === symbol ? run + 1 : 0;
    if (run > 0) correct++;
    if (run > longestRun) longestRun = run;
  }
  return { correct, predictions: symbols.length - longestPrefix - 1, longestRun };
}
