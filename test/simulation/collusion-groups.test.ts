import { describe, expect, test } from 'vitest';
import type { Cell } from './collusion-cells.js';
import { GROUP_DOCUMENT, tableIn } from './collusion-documents.js';
import { GROUP_ROWS, copied, renderGroupTable } from './collusion-groups.js';
import { verdictOf } from './collusion-table.js';

const results = new Map<string, Cell>();

/** A row, run once. */
function cellOf({ name, run }: (typeof GROUP_ROWS)[number]): Cell {
  const cell = results.get(name) ?? run();
  results.set(name, cell);
  return cell;
}

describe.each(GROUP_ROWS)('GRP-13: $name', (row) => {
  test('all coalitions fare alike', () => {
    expect(['yes', 'no']).toContain(verdictOf(cellOf(row)));
  });

  test('there were keys to learn while the coalition tried', () => {
    for (const strategies of cellOf(row).trials) {
      expect(strategies.every(({ accepted }) => accepted > 0)).toBe(true);
    }
  });

  test('where it fails, the same attacker with the missing secret computes the key', () => {
    const { controls } = cellOf(row);
    if (verdictOf(cellOf(row)) === 'yes') return;
    expect(controls.length).toBeGreaterThan(0);
    expect(controls.map(({ learned }) => learned)).toEqual(controls.map(() => true));
  });
});

test('GRP-13: the table in the document is what came of it', () => {
  expect(tableIn(GROUP_DOCUMENT, 'group collusion table')).toBe(renderGroupTable(GROUP_ROWS.map(cellOf)));
});

describe('GRP-13: what stops them', () => {
  const reasons = (row: number): readonly string[] => {
    const { trials } = cellOf(GROUP_ROWS[row] as (typeof GROUP_ROWS)[number]);
    return [...new Set(trials.flat().flatMap(({ refusals }) => refusals))].toSorted();
  };

  test('fewer than k nodes: the dealer, the dealing order and the commitments (GRP-4, GRP-9)', () => {
    expect(reasons(0)).toEqual(['DEALER_MISMATCH', 'GROUP_NOT_MANAGER', 'SHARE_MISMATCH']);
  });

  test('members that forge: the signature (GRP-7, GRP-9)', () => {
    expect(reasons(2)).toEqual(['BAD_SIGNATURE']);
  });

  test('a copied state: the removal of its device (GRP-6)', () => {
    expect(verdictOf(copied('is removed'))).toBe('no');
  });
});
