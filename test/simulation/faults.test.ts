import { describe, expect, test } from 'vitest';
import { faultCases } from './faults-cases.js';
import { runFault } from './faults-run.js';
import { cellsOf, rowName, rowsInDocument } from './faults-table.js';

const cases = faultCases();
/** Every third fault is injected again here; `npm run faults -- --check` injects all of them. */
const RECOMPUTED = cases.filter((_, index) => index % 3 === 0);

describe('docs/entropy/faults.md', () => {
  const rows = rowsInDocument();

  test('has a row for every fault, and for no other', () => {
    expect([...rows.keys()]).toEqual(cases.map(({ source, fault }) => rowName(source, fault)));
    expect(rows.size).toBeGreaterThan(40);
  });

  test('says that every fault was found and that no bit below the claim was released', () => {
    for (const [name, cells] of rows) {
      expect(cells[2], name).not.toBe('nothing');
      expect(cells.at(-1), name).toBe('0');
    }
  });
});

describe.each(RECOMPUTED)('$source: $fault', (fault) => {
  test('fares as the document says', async () => {
    const outcome = await runFault(fault);
    expect(cellsOf({ fault, outcome })).toEqual(rowsInDocument().get(rowName(fault.source, fault.fault)));
    expect(outcome.escapedBits).toBe(0);
    expect(outcome.releasedBefore).toBeGreaterThan(0);
  });
});
