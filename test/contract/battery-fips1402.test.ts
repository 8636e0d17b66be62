import { FIPS1402_BLOCK_BYTES, fips1402 } from '@symmetra/battery';
import type { Fips1402Test } from '@symmetra/battery';
import { array, assert, constantFrom, oneof, property, uint8Array } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { biasedBytes, correlatedBytes, goodBytes, repeatingBytes } from './battery-data.js';
import { bitsOf, bytesOf, modelOf } from './battery-fips1402-model.js';

const BLOCK_BITS = 20_000;

/** Whether a single block fails one of the tests. */
function fails(block: Uint8Array, name: Fips1402Test): boolean {
  expect(block.length).toBe(FIPS1402_BLOCK_BYTES);
  return fips1402(block).failures[name] === 1;
}

describe('rngtest 5 counted', () => {
  const BLOCKS = 150;
  const LENGTH = BLOCKS * FIPS1402_BLOCK_BYTES + 4;
  const failures = (...[monobit, poker, runs, longRun, continuous]: readonly number[]) => ({
    monobit,
    poker,
    runs,
    longRun,
    continuous,
  });
  /* The program sets the first four bytes apart for the continuous test. */
  test.each([
    ['biased bits', biasedBytes(LENGTH, 4, 131), 52, failures(52, 3, 2, 0, 0)],
    ['more bias', biasedBytes(LENGTH, 5, 133), 145, failures(145, 70, 21, 0, 0)],
    ['correlated bits', correlatedBytes(LENGTH, 6, 126), 5, failures(0, 0, 5, 0, 0)],
    ['more correlation', correlatedBytes(LENGTH, 7, 120), 150, failures(0, 145, 150, 0, 0)],
    ['repeated words', repeatingBytes(LENGTH, 8, 10_000), 38, failures(0, 0, 0, 0, 38)],
    ['zeros', new Uint8Array(LENGTH), 150, failures(150, 150, 150, 150, 150)],
    ['ones', new Uint8Array(LENGTH).fill(255), 150, failures(150, 150, 150, 150, 150)],
  ])('%s: its numbers with its slips, ours without them', (_, bytes, failedBlocks, counted) => {
    const [previous, rest] = [bytes.subarray(0, 4), bytes.subarray(4)];
    expect(modelOf(rest, 'rngtest', previous)).toEqual({ blocks: BLOCKS, failures: counted, failedBlocks });
    expect(fips1402(rest, previous)).toEqual(modelOf(rest, 'standard', previous));
  });

  test('10,000 good blocks: 9 failures', () => {
    const bytes = goodBytes(10_000 * FIPS1402_BLOCK_BYTES + 4, 3);
    expect(fips1402(bytes.subarray(4), bytes.subarray(0, 4))).toEqual({
      blocks: 10_000,
      failures: failures(1, 1, 4, 3, 0),
      failedBlocks: 9,
    });
  });
});

test('any block has the verdict that a count bit by bit gives it', () => {
  const skewed = uint8Array({ minLength: FIPS1402_BLOCK_BYTES, maxLength: FIPS1402_BLOCK_BYTES });
  const few = array(constantFrom(0, 255, 15, 127, 1, 85), {
    minLength: FIPS1402_BLOCK_BYTES,
    maxLength: FIPS1402_BLOCK_BYTES,
  });
  assert(
    property(
      oneof(
        skewed,
        few.map((bytes) => Uint8Array.from(bytes)),
      ),
      (block) => {
        expect(fips1402(block)).toEqual(modelOf(block, 'standard'));
      },
    ),
    { numRuns: 40, seed: 1402 },
  );
});

test('what is less than a block at the end is not looked at', () => {
  const bytes = goodBytes(3 * FIPS1402_BLOCK_BYTES, 12);
  expect(fips1402(bytes.subarray(1)).blocks).toBe(2);
  expect(fips1402(new Uint8Array(FIPS1402_BLOCK_BYTES - 1))).toEqual({
    blocks: 0,
    failures: { monobit: 0, poker: 0, runs: 0, longRun: 0, continuous: 0 },
    failedBlocks: 0,
  });
});

describe('monobit: 9,725 < ones < 10,275', () => {
  test.each([
    [9725, true],
    [9726, false],
    [10_274, false],
    [10_275, true],
  ])('%i ones', (ones, failed) => {
    const bits = bitsOf(goodBytes(FIPS1402_BLOCK_BYTES, 13)).split('');
    let excess = bits.filter((bit) => bit === '1').length - ones;
    for (let i = 0; excess !== 0; i += 1) {
      if (bits[i] !== (excess > 0 ? '1' : '0')) continue;
      bits[i] = excess > 0 ? '0' : '1';
      excess -= Math.sign(excess);
    }
    expect(fails(bytesOf(bits.join('')), 'monobit')).toBe(failed);
  });
});

describe('poker: 2.16 < X < 46.17', () => {
  /** How often each nibble stands in a block whose squares add up to `target`. */
  function nibbleCounts(target: number): number[] {
    // 312 - d and 313 + d add 2 d (d + 1) to the smallest sum, 1,562,504; a unit between two equal counts adds 2.
    let half = (target - 1_562_504) >> 1;
    const split = half % 2 === 1;
    if (split) half -= 1;
    const counts: number[] = [];
    for (let pair = 0; pair < 8; pair += 1) {
      let d = 0;
      while ((d + 1) * (d + 2) <= half) d += 1;
      half -= d * (d + 1);
      counts.push(312 - d, 313 + d);
    }
    if (split) {
      const last = counts.lastIndexOf(312);
      counts[last] = 311;
      counts[counts.lastIndexOf(312)] = 313;
    }
    return counts;
  }

  test.each([
    [1_563_174, true],
    [1_563_176, false],
    [1_576_928, false],
    [1_576_930, true],
  ])('sum of squares %i', (target, failed) => {
    const counts = nibbleCounts(target);
    expect(counts.reduce((sum, count) => sum + count)).toBe(5000);
    expect(counts.reduce((sum, count) => sum + count * count, 0)).toBe(target);
    const nibbles = counts.map((count, nibble) => nibble.toString(2).padStart(4, '0').repeat(count));
    expect(fails(bytesOf(nibbles.join('')), 'poker')).toBe(failed);
  });
});

describe('runs', () => {
  const TYPICAL = [2500, 1250, 625, 312, 156, 156];
  const BOUNDS = [
    [2315, 2685],
    [1114, 1386],
    [527, 723],
    [240, 384],
    [103, 209],
    [103, 209],
  ] as const;
  const SIX = 5;

  /** Lengths of runs that fill `bits` bits and of which `counts` says how many there are of each length. */
  function lengthsOf(counts: readonly number[], bits: number): number[] {
    const lengths = counts.flatMap((count, i) => Array.from({ length: count }, () => i + 1));
    let rest = bits - lengths.reduce((sum, length) => sum + length, 0);
    for (let i = lengths.length - 1; rest > 0; i -= 1) {
      const more = Math.min(rest, 19);
      lengths[i] = (lengths[i] ?? 0) + more;
      rest -= more;
    }
    expect(rest).toBe(0);
    return lengths;
  }

  /** The typical counts with one of them set, and another one lowered until everything finds room. */
  function countsWith(index: number, count: number): number[] {
    const counts = TYPICAL.with(index, count);
    const other = index === 2 ? 1 : 2;
    const bits = counts.reduce((sum, times, i) => sum + times * (i + 1), 0);
    const excess = Math.max(0, bits - BLOCK_BITS / 2);
    return counts.with(other, (counts[other] ?? 0) - Math.ceil(excess / (other + 1)));
  }

  /** A block whose runs alternate; the bit that has one run more begins and ends. */
  function blockOf(zeros: readonly number[], ones: readonly number[]): Uint8Array {
    const runs = [lengthsOf(zeros, BLOCK_BITS / 2), lengthsOf(ones, BLOCK_BITS / 2)] as const;
    let bit: 0 | 1 = runs[0].length >= runs[1].length ? 0 : 1;
    let text = '';
    while (runs[bit].length > 0) {
      text += String(bit).repeat(runs[bit].shift() ?? 0);
      bit = bit === 0 ? 1 : 0;
    }
    return bytesOf(text);
  }

  const edges = BOUNDS.flatMap(([least, most], index) =>
    [
      [least, -1],
      [most, 1],
    ].map(
      ([bound = 0, step = 0]) =>
        [index === SIX ? '6 or more' : String(index + 1), bound, step, index] as const,
    ),
  );

  test.each(edges)(
    'of length %s: %i passes, one beyond (%i) fails for zeros and for ones',
    (_, bound, step, index) => {
      const inside = countsWith(index, bound);
      const beyond = inside.with(index, bound + step);
      // A run beyond the bound needs or leaves bits, for which the runs of another length make room.
      const other = index === 2 ? 1 : 2;
      if (step > 0) beyond[other] = (beyond[other] ?? 0) - Math.ceil((index + 1) / (other + 1));
      const matching = inside.with(other, beyond[other] ?? 0);
      expect(fails(blockOf(inside, inside), 'runs')).toBe(false);
      expect(fails(blockOf(beyond, matching), 'runs')).toBe(true);
      expect(fails(blockOf(matching, beyond), 'runs')).toBe(true);
      expect(fails(blockOf(matching, matching), 'runs')).toBe(false);
    },
  );
});

describe('long run: 26 bits', () => {
  const good = bitsOf(goodBytes(2 * FIPS1402_BLOCK_BYTES, 14));
  /** A good text in which a run stands at `start`, bounded by its opposite. */
  function withRun(start: number, length: number, bit: '0' | '1'): string {
    const edge = bit === '0' ? '1' : '0';
    const run = (start > 0 ? edge : '') + bit.repeat(length) + edge;
    const from = start > 0 ? start - 1 : 0;
    return (good.slice(0, from) + run + good.slice(from + run.length)).slice(0, good.length);
  }

  const places = [0, 1, 9_992, 9_993, 9_994, 9_995, 9_996, 9_997, 9_998, 9_999, 19_974];
  test.each(places)('at bit %i: 25 pass, 26 fail', (start) => {
    for (const bit of ['0', '1'] as const) {
      expect(fips1402(bytesOf(withRun(start, 25, bit))).failures.longRun).toBe(0);
      expect(fips1402(bytesOf(withRun(start, 26, bit))).failures.longRun).toBe(1);
      expect(fips1402(bytesOf(withRun(start, 1000, bit))).failures.longRun).toBeGreaterThan(0);
    }
  });

  test('a run across two blocks counts in each of them by itself', () => {
    expect(fips1402(bytesOf(withRun(BLOCK_BITS - 25, 50, '1'))).failures.longRun).toBe(0);
    expect(fips1402(bytesOf(withRun(BLOCK_BITS - 26, 51, '1'))).failures.longRun).toBe(1);
    expect(fips1402(bytesOf(withRun(BLOCK_BITS - 26, 52, '1'))).failures.longRun).toBe(2);
  });
});

describe('continuous: 32 bits', () => {
  const good = goodBytes(2 * FIPS1402_BLOCK_BYTES, 15);
  /** Good blocks in which the word at `offset` is that before it. */
  const repeatedAt = (offset: number): Uint8Array => good.slice().copyWithin(offset, offset - 4, offset);

  test.each([4, 1000, FIPS1402_BLOCK_BYTES - 4, FIPS1402_BLOCK_BYTES, 2 * FIPS1402_BLOCK_BYTES - 4])(
    'the word at byte %i repeats',
    (offset) => {
      expect(fips1402(repeatedAt(offset)).failures.continuous).toBe(1);
    },
  );

  test('four bytes that repeat out of step are no repeated word', () => {
    expect(fips1402(repeatedAt(1002)).failures.continuous).toBe(0);
  });

  test('the first word is compared with what was before, when that is known', () => {
    expect(fips1402(good, good.slice(0, 4)).failures.continuous).toBe(1);
    expect(fips1402(good, good.slice(4, 8)).failures.continuous).toBe(0);
    expect(fips1402(good).failures.continuous).toBe(0);
  });
});
