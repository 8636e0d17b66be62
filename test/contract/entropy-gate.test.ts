import { chiSquareSurvival, ent, sp80022 } from '@symmetra/battery';
import { BufferGate, RollingAggregate, UNIFORM_GATE_TESTS } from '@symmetra/entropy';
import { describe, expect, test } from 'vitest';
import {
  longRunSize,
  longRunTail,
  repetitionsSize,
  repetitionsTail,
  fairCoinsSize,
  fairCoinsTail,
} from '../../packages/entropy/src/gate/false-alarms.js';
import { GateBits } from '../../packages/entropy/src/gate/gate-bits.js';
import { bitsOf } from './battery-fips1402-model.js';
import { GoodData, biased, correlated, periodic, repeated } from './entropy-gate-data.js';

const BYTES = 32_768;

describe('what the gate counts is what a count bit by bit gives', () => {
  const good = new GoodData(1);
  const uneven = good.next(64).fill(0, 10, 20).fill(255, 30, 33);
  test.each([
    ['good bytes', good.next(4096)],
    ['long runs', uneven],
    ['zeros', new Uint8Array(64)],
    ['ones', new Uint8Array(64).fill(255)],
    ['alternating bits', new Uint8Array(64).fill(0x55)],
    ['repeated words', good.next(128).copyWithin(64, 0, 32)],
  ])('%s', (_, bytes) => {
    const text = bitsOf(bytes);
    const bits = new GateBits(bytes);
    const words = text.match(/.{32}/g) ?? [];
    const counts = Array.from(
      { length: 16 },
      (__, nibble) => (text.match(/.{4}/g) ?? []).filter((one) => Number.parseInt(one, 2) === nibble).length,
    );
    const expected = text.length / 64;
    expect(bits.ones()).toBe(text.replaceAll('0', '').length);
    expect(bits.longestRun()).toBe(Math.max(...(text.match(/0+|1+/g) ?? []).map((run) => run.length)));
    expect(bits.repeatedWords()).toBe(words.length - new Set(words).size);
    expect(bits.pokerStatistic()).toBeCloseTo(
      counts.reduce((sum, count) => sum + (count - expected) ** 2, 0) / expected,
      9,
    );
    for (const lag of [1, 2, 3, 5, 8, 16, 31, 32, 64]) {
      const differences = [...bytes.keys()]
        .flatMap((i) => Array.from({ length: 8 }, (__, j) => i * 8 + j))
        .filter((i) => i + lag < text.length && text[i] !== text[i + lag]);
      expect(bits.differences(lag), `lag ${lag}`).toBe(differences.length);
    }
  });

  test('its copy of the buffer can be erased', () => {
    const bits = new GateBits(good.next(64));
    bits.wipe();
    expect(bits.words.every((word) => word === 0)).toBe(true);
  });
});

describe('false alarms of counts', () => {
  /** Each text of `length` bits. */
  const texts = (length: number): string[] =>
    Array.from({ length: 2 ** length }, (_, i) => i.toString(2).padStart(length, '0'));

  test('the longest run, over all sequences of 14 bits', () => {
    const longest = texts(14).map((text) =>
      Math.max(...(text.match(/0+|1+/g) ?? []).map((run) => run.length)),
    );
    for (let run = 1; run <= 15; run += 1) {
      expect(longRunTail(14, run)).toBeCloseTo(
        longest.filter((one) => one >= run).length / longest.length,
        12,
      );
    }
  });

  test('heads of coins, over all sequences of 14', () => {
    const ones = texts(14).map((text) => text.replaceAll('0', '').length);
    for (let heads = 0; heads <= 14; heads += 1) {
      const asFar = ones.filter((one) => Math.abs(one - 7) >= Math.abs(heads - 7)).length / ones.length;
      expect(fairCoinsTail(14, heads)).toBeCloseTo(asFar, 12);
    }
  });

  test('repeated words: the mean of the Poisson distribution is that of the pairs', () => {
    const words = 2 ** 13;
    const pairs = (words * (words - 1)) / 2;
    expect(repetitionsTail(words, 0)).toBe(1);
    expect(repetitionsTail(words, 1)).toBeCloseTo(-Math.expm1(-pairs / 2 ** 32), 12);
    expect(repetitionsTail(words, 2) / ((pairs / 2 ** 32) ** 2 / 2)).toBeCloseTo(1, 1);
    expect(repetitionsTail(words, 3)).toBeLessThan(1e-7);
  });

  test.each([0.01, 1e-4, 1e-8, 2 ** -30])(
    'the attained rate at %f is the largest that the counts allow',
    (bound) => {
      for (const [size, tail, from] of [
        [fairCoinsSize(1000, bound), (k: number) => fairCoinsTail(1000, 500 + k), 1],
        [longRunSize(10_000, bound), (k: number) => longRunTail(10_000, k), 2],
        [repetitionsSize(8192, bound), (k: number) => repetitionsTail(8192, k), 1],
      ] as const) {
        let k: number = from;
        while (tail(k) > bound) k += 1;
        expect(size).toBe(tail(k));
        expect(size).toBeLessThanOrEqual(bound);
      }
    },
  );
});

describe('a gate', () => {
  const gate = new BufferGate();

  test('states its error, split over its tests', () => {
    const { bytes, tests, perTest, familyWise, attained } = gate.statement;
    expect({ bytes, tests, familyWise }).toEqual({ bytes: BYTES, tests: 18, familyWise: 2 ** -20 });
    expect(1 - (1 - perTest) ** tests).toBeCloseTo(familyWise, 14);
    expect(attained).toBeLessThanOrEqual(familyWise);
    expect(attained).toBeGreaterThan(familyWise * 0.8);
  });

  test('takes the p-values of the batteries', () => {
    const bytes = new GoodData(2).next(BYTES);
    const { pValues, passed, failed } = gate.check(bytes);
    expect({ passed, failed }).toEqual({ passed: true, failed: [] });
    expect(Object.keys(pValues)).toHaveLength(gate.statement.tests);
    const names = ['BlockFrequency', 'LongestRun', 'Serial'] as const;
    const { BlockFrequency, LongestRun, Serial } = sp80022(bytes, { profile: 'corrected', tests: names });
    expect(pValues).toMatchObject({
      BlockFrequency: BlockFrequency[0],
      LongestRun: LongestRun[0],
      Serial1: Serial[0],
      Serial2: Serial[1],
    });
    const { probability } = ent(bytes).chiSquare;
    expect(pValues.byteFrequencies).toBe(2 * Math.min(probability, 1 - probability));
    const poker = chiSquareSurvival(new GateBits(bytes).pokerStatistic(), 15);
    expect(pValues.poker).toBe(2 * Math.min(poker, 1 - poker));
  });

  test.each([
    ['zeros', new Uint8Array(BYTES), 'frequency'],
    ['ones', new Uint8Array(BYTES).fill(255), 'longRun'],
    ['a counter', new Uint8Array(BYTES).map((_, i) => i), 'byteFrequencies'],
    [
      'text',
      new TextEncoder().encode('<html><body>502 Bad Gateway</body></html>'.repeat(800)).subarray(0, BYTES),
      'repeatedWords',
    ],
    ['bias', biased(0.02).make(new GoodData(3), BYTES), 'frequency'],
    ['correlation', correlated(0.02).make(new GoodData(4), BYTES), 'runs'],
    ['a square wave', periodic(64, 0.2).make(new GoodData(5), BYTES), 'lag64'],
    ['a repeated part', repeated(64).make(new GoodData(6), BYTES), 'repeatedWords'],
    ['a repeated half', repeated(BYTES / 2).make(new GoodData(7), BYTES), 'repeatedWords'],
  ] as const)('stops %s', (_, buffer, name) => {
    const { passed, failed } = gate.check(buffer);
    expect(passed).toBe(false);
    expect(failed).toContain(name);
  });

  test('leaves the buffer as it is', () => {
    const buffer = new GoodData(8).next(BYTES);
    const before = buffer.slice();
    gate.check(buffer);
    expect(buffer).toEqual(before);
  });

  test.each([
    ['a length that is no multiple of four', { bytes: 32_770 }],
    ['a length that is too small', { bytes: 4092 }],
    ['a length that is too large', { bytes: 2 ** 20 + 4 }],
    ['no error', { familyWise: 0 }],
    ['too large an error', { familyWise: 0.2 }],
  ])('can not have %s', (_, options) => {
    expect(() => new BufferGate(options)).toThrow(expect.objectContaining({ code: 'GATE_BAD_ARGUMENT' }));
  });

  test('takes no buffer of another length', () => {
    expect(() => gate.check(new Uint8Array(BYTES - 4))).toThrow(
      expect.objectContaining({ code: 'GATE_BAD_ARGUMENT' }),
    );
  });
});

describe('the rolling aggregate', () => {
  /** P-values as good data have them: the i-th of `count` places between 0 and 1, mixed. */
  const uniform = (i: number, count: number): number => (((i * 7919) % count) + 0.5) / count;

  test('good p-values pass, with the least proportion of SP 800-22', () => {
    const aggregate = new RollingAggregate({ tests: ['a'], buffers: 1000 });
    for (let i = 0; i < 1000; i += 1) aggregate.add({ a: uniform(i, 1000), b: 0 });
    const { a } = aggregate.aggregates;
    expect(a).toEqual({
      count: 1000,
      proportion: 0.99,
      leastProportion: expect.closeTo(0.98056, 5),
      uniformity: 1,
      passed: true,
    });
    expect(aggregate.aggregates).not.toHaveProperty('b');
  });

  test('too few that pass, or too many in one tenth, do not', () => {
    const few = new RollingAggregate({ tests: ['a'], buffers: 100 });
    const skewed = new RollingAggregate({ tests: ['a'], buffers: 100 });
    for (let i = 0; i < 100; i += 1) {
      few.add({ a: i % 20 === 0 ? 0.001 : uniform(i, 100) });
      skewed.add({ a: 0.3 + 0.7 * uniform(i, 100) });
    }
    expect(few.aggregates['a']).toMatchObject({
      proportion: 0.95,
      leastProportion: expect.closeTo(0.96015, 5),
      passed: false,
    });
    expect(skewed.aggregates['a']).toMatchObject({ proportion: 1, passed: false });
  });

  test('the window rolls, and below 55 values nothing is said of uniformity', () => {
    const aggregate = new RollingAggregate({ tests: ['a'], buffers: 60 });
    for (let i = 0; i < 54; i += 1) aggregate.add({ a: 0.0001 });
    expect(aggregate.aggregates['a']).not.toHaveProperty('uniformity');
    expect(aggregate.aggregates['a']).toMatchObject({ count: 54, proportion: 0, passed: false });
    for (let i = 0; i < 60; i += 1) aggregate.add({ a: uniform(i, 60) });
    expect(aggregate.aggregates['a']).toMatchObject({ count: 60, passed: true });
  });

  test('is empty at first', () => {
    const aggregate = new RollingAggregate({ tests: UNIFORM_GATE_TESTS });
    expect(Object.keys(aggregate.aggregates)).toHaveLength(16);
    expect(aggregate.aggregates['frequency']).toEqual({
      count: 0,
      proportion: 1,
      leastProportion: 0,
      passed: true,
    });
  });

  test.each([{ buffers: 54 }, { significance: 0 }, { significance: 1 }])('can not have %o', (options) => {
    expect(() => new RollingAggregate({ tests: [], ...options })).toThrow(
      expect.objectContaining({ code: 'GATE_BAD_ARGUMENT' }),
    );
  });
});
