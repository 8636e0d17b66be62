import { expect, test } from 'vitest';
import { powerTable } from './gate-power-document.js';
import { FLAWS, rowOf, rowsIn, stopped } from './gate-power.js';

const rows = rowsIn(powerTable()).slice(2);

test('the document has a row for each flaw', () => {
  expect(rows).toHaveLength(FLAWS.length);
  for (const [place, { kind, strength }] of FLAWS.entries()) {
    expect(rows[place]).toContain(`| ${kind} | ${strength} |`);
  }
});

/** Those that are cheap to make, and one of each kind that is not certain either way. */
const CHEAP = [
  'P(1) = 1/2 + 0.006',
  'the last 8 bytes are the first ones',
  'the last 16 bytes are the first ones',
];

test.each(CHEAP)('the gate has the power that the document states: %s', (strength) => {
  const place = FLAWS.findIndex((flaw) => flaw.strength === strength);
  const flaw = FLAWS[place];
  expect(flaw).toBeDefined();
  if (flaw !== undefined) expect(rows[place]).toBe(rowOf(flaw, stopped(flaw, place)));
});
