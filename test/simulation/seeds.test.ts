import { nobleBackend, createSuites, suites } from '@symmetra/crypto';
import { CHEAP_SUITE_ID, CRASH_POINTS, FAULT_KINDS, cheapSuite } from '@symmetra/testing';
import { expect, test } from 'vitest';
import { SEEDS } from './seeds.js';

test('the flows of two have 10,000 seeds, 500 of them with the real KEM of each suite; groups have 5,000', () => {
  const { group, ...pairs } = SEEDS;
  const flows = Object.values(pairs);
  const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);
  expect(sum(flows.map(({ real }) => real))).toBe(500);
  expect(sum(flows.map(({ cheap, real }) => cheap + real * suites.ids().length))).toBe(10_000);
  expect(group.cheap + group.real * suites.ids().length).toBe(5000);
});

test('no production table contains the cheap suite', () => {
  for (const table of [suites, createSuites(nobleBackend)]) {
    expect(table.has(CHEAP_SUITE_ID)).toBe(false);
    expect(table.ids()).toEqual([1, 2, 3]);
    expect(table.ids().map((id) => table.get(id).kem)).not.toContain(cheapSuite.kem);
  }
});

test('a process can die before it persists, before it sends and after it sent', () => {
  expect(CRASH_POINTS).toEqual(['before-persist', 'after-persist', 'after-send']);
  expect(FAULT_KINDS.length).toBeGreaterThan(4);
});
