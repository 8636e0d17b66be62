import { igamc } from '../special/gamma.js';
import { erfc } from '../special/normal.js';
import type { BitSequence } from './bit-sequence.js';

/** Per byte, as steps of +1 and -1: the sum, the highest and the lowest partial sum. */
const walkTables = (() => {
  const sum = new Int8Array(256);
  const highest = new Int8Array(256);
  const lowest = new Int8Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let at = 0;
    for (let bit = 7; bit >= 0; bit--) {
      at += (byte >>> bit) & 1 ? 1 : -1;
      if (at > highest[byte]!) highest[byte] = at;
      if (at < lowest[byte]!) lowest[byte] = at;
    }
    sum[byte] = at;
  }
  return { sum, highest, lowest };
})();

/** SP 800-22 2.13: how far do the partial sums stray, seen forward and seen backward? */
export function cumulativeSumsTest({ bytes, length }: BitSequence): number[] {
  let at = 0;
  let highest = 0;
  let lowest = 0;
  const whole = length >>> 3;
  for (let i = 0; i < whole; i++) {
    const byte = bytes[i]!;
    const top = at + walkTables.highest[byte]!;
    const bottom = at + walkTables.lowest[byte]!;
    if (top > highest) highest = top;
    if (bottom < lowest) lowest = bottom;
    at += walkTables.sum[byte]!;
  }
  for (let i = whole * 8; i < length; i++) {
    at += (bytes[whole]! >>> (7 - (i & 7))) & 1 ? 1 : -1;
    highest = Math.max(highest, at);
    lowest = Math.min(lowest, at);
  }
  const forward = Math.max(highest, -lowest);
  const backward = Math.max(highest - at, at - lowest);
  return [excursionProbability(forward, length), excursionProbability(backward, length)];
}

/**
 * P(max |S_k| >= z) over n steps, by STS's finite sum of normal probabilities. Each of them is
 * taken as 0 or 1 plus a tail; the ones are counted apart, so that small results keep their digits.
 */
function excursionProbability(z: number, n: number): number {
  let ones = 1;
  let tails = 0;
  const add = (multiple: number, sign: number): void => {
    const tail = sign * (erfc((Math.abs(multiple) * z) / Math.sqrt(2 * n)) / 2);
    if (multiple > 0) ones += sign;
    tails += multiple > 0 ? -tail : tail;
  };
  const ratio = Math.trunc(n / z);
  const last = Math.trunc((ratio - 1) / 4);
  for (let k = Math.trunc((1 - ratio) / 4); k <= last; k++) {
    add(4 * k + 1, -1);
    add(4 * k - 1, 1);
  }
  for (let k = Math.trunc((-ratio - 3) / 4); k <= last; k++) {
    add(4 * k + 3, 1);
    add(4 * k + 1, -1);
  }
  return ones + tails;
}

/** Visits of the walk to states near its start, by cycles (from zero to zero; the last may be open). */
interface WalkCycles {
  readonly cycles: number;
  /** Those of them that ended in zero. */
  readonly closed: number;
  /** Visits to states -9 ... 9 at index state + 9. */
  readonly visits: Uint32Array;
  /** Cycles with k visits (5: or more) to state x, |x| <= 4, at index (x + 4) * 6 + k. */
  readonly cyclesByVisits: Uint32Array;
}

const farthest = 9;
const nearest = 4;
const visitClasses = 6;

const cyclesOf = new WeakMap<BitSequence, WalkCycles>();

/** One pass for both excursion tests; bytes in which the walk stays away from -9 ... 9 are skipped whole. */
function walkCycles(sequence: BitSequence): WalkCycles {
  const known = cyclesOf.get(sequence);
  if (known !== undefined) return known;
  const { bytes, length } = sequence;
  const visits = new Uint32Array(2 * farthest + 1);
  const cyclesByVisits = new Uint32Array((2 * nearest + 1) * visitClasses);
  const inCycle = new Uint32Array(2 * farthest + 1);
  let cycles = 0;
  let at = 0;
  const closeCycle = (): void => {
    cycles++;
    for (let x = -nearest; x <= nearest; x++) {
      cyclesByVisits[(x + nearest) * visitClasses + Math.min(inCycle[x + farthest]!, 5)]! += 1;
    }
    inCycle.fill(0);
  };
  const end = Math.ceil(length / 8);
  for (let i = 0; i < end; i++) {
    const byte = bytes[i]!;
    const bits = Math.min(8, length - i * 8);
    if (bits === 8 && (at > farthest + 8 || at < -farthest - 8)) {
      at += walkTables.sum[byte]!;
      continue;
    }
    for (let bit = 7; bit > 7 - bits; bit--) {
      at += (byte >>> bit) & 1 ? 1 : -1;
      if (at === 0) closeCycle();
      else if (at >= -farthest && at <= farthest) {
        visits[at + farthest]! += 1;
        inCycle[at + farthest]! += 1;
      }
    }
  }
  const closed = cycles;
  if (at !== 0) closeCycle();
  const result = { cycles, closed, visits, cyclesByVisits };
  cyclesOf.set(sequence, result);
  return result;
}

/** Cycles that the excursion tests need. */
function cyclesNeeded(length: number): number {
  return Math.max(0.005 * Math.sqrt(length), 500);
}

/**
 * SP 800-22 2.14: do cycles visit the states -4 ... -1, 1 ... 4 as often as they should? Eight
 * p-values. Not applicable below the cycles needed. STS 2.1.2 gives nothing either above
 * max(1000, n/100) cycles, where its table ends: `exact` has no such limit.
 */
export function randomExcursionsTest(sequence: BitSequence, exact: boolean): number[] {
  const { cycles, closed, cyclesByVisits } = walkCycles(sequence);
  if (cycles < cyclesNeeded(sequence.length)) return [];
  if (!exact && closed > Math.max(1000, Math.floor(sequence.length / 100))) return [];
  return states(nearest).map((state) => {
    const probabilities = visitProbabilities(Math.abs(state));
    let chiSquare = 0;
    for (const [visits, probability] of probabilities.entries()) {
      const observed = cyclesByVisits[(state + nearest) * visitClasses + visits]!;
      chiSquare += (observed - cycles * probability) ** 2 / (cycles * probability);
    }
    return igamc((visitClasses - 1) / 2, chiSquare / 2);
  });
}

/** SP 800-22 2.15: are the total visits to the states -9 ... -1, 1 ... 9 as they should be? 18 p-values. */
export function randomExcursionsVariantTest(sequence: BitSequence): number[] {
  const { cycles, visits } = walkCycles(sequence);
  if (cycles < Math.trunc(cyclesNeeded(sequence.length))) return [];
  return states(farthest).map((state) => {
    const excess = Math.abs(visits[state + farthest]! - cycles);
    return erfc(excess / Math.sqrt(2 * cycles * (4 * Math.abs(state) - 2)));
  });
}

function states(limit: number): number[] {
  return Array.from({ length: 2 * limit + 1 }, (_, i) => i - limit).filter((state) => state !== 0);
}

/** SP 800-22 3.14: P(0, 1, ... 4, at least 5 visits to a state in a cycle), by its distance from zero. */
function visitProbabilities(distance: number): number[] {
  const never = 1 - 1 / (2 * distance);
  const inner = [1, 2, 3, 4].map((visits) => never ** (visits - 1) / (4 * distance * distance));
  return [never, ...inner, never ** 4 / (2 * distance)];
}
