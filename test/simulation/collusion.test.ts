import { describe, expect, test } from 'vitest';
import { Collusion } from './collusion-cells.js';
import type { Cell, Column } from './collusion-cells.js';
import { DOCUMENTS, tableIn } from './collusion-documents.js';
import { COLUMNS, ROWS, renderTable, runCell, verdictOf } from './collusion-table.js';

const results = new Map<string, Cell>();

/** A cell, run once. */
function cellOf(row: (typeof ROWS)[number], column: Column): Cell {
  const name = `${row.name} / ${column.name}`;
  const cell = results.get(name) ?? runCell(row, column);
  results.set(name, cell);
  return cell;
}

describe.each(COLUMNS)('$name', (column) => {
  describe.each(ROWS)('$name', (row) => {
    const cell = (): Cell => cellOf(row, column);

    test('all coalitions fare alike', () => {
      expect(['yes', 'no']).toContain(verdictOf(cell()));
    });

    test('the devices came to a key while the coalition tried', () => {
      for (const strategies of cell().trials) {
        expect(strategies.some(({ accepted }) => accepted > 0)).toBe(true);
      }
    });

    test('where it fails, the same attacker with the missing secret computes the key', () => {
      const { controls } = cell();
      if (verdictOf(cell()) === 'yes') return;
      expect(controls.length).toBeGreaterThan(0);
      expect(controls.map(({ learned }) => learned)).toEqual(controls.map(() => true));
    });
  });
});

test.each(DOCUMENTS)('the table in %s is what came of it', (document) => {
  const verdicts = ROWS.map((row) => COLUMNS.map((column) => verdictOf(cellOf(row, column))));
  expect(tableIn(document)).toBe(renderTable(verdicts));
});

describe('nodes that wrote down the first contact as well, after which the pair met again', () => {
  const verdict = (column: Column | undefined): string =>
    column === undefined
      ? 'no such column'
      : verdictOf(new Collusion('recorded meeting', column).later('ever'));

  test('know the continuity secret when it went without the direct KEM', () => {
    expect(verdict(COLUMNS[0])).toBe('yes');
  });

  test('know nothing when it went with the direct KEM', () => {
    expect(verdict(COLUMNS[1])).toBe('no');
    expect(verdict(COLUMNS[2])).toBe('no');
  });
});

describe('what stops each strategy', () => {
  const reasons = (row: number, column: number): readonly string[] => {
    const { trials } = cellOf(ROWS[row] as (typeof ROWS)[number], COLUMNS[column] as Column);
    return [...new Set(trials.flat().flatMap(({ refusals }) => refusals))].toSorted();
  };

  test('of fewer than k nodes: commitments, the hash of the KEM key, and the confirmation (PAIR-5, PAIR-8)', () => {
    expect(reasons(0, 1)).toEqual(['AUTHENTICATION_FAILED', 'EPHEMERAL_KEY_MISMATCH', 'SHARE_MISMATCH']);
  });

  test('of k nodes against a first contact dealt to all: the responder insists on all (PAIR-7)', () => {
    expect(reasons(2, 2)).toContain('FIRST_CONTACT_NEEDS_ALL');
  });

  test('of all nodes after the devices have met: continuity (PAIR-7, PAIR-8)', () => {
    expect(reasons(4, 1)).toContain('CONTINUITY_REQUIRED');
  });
});
