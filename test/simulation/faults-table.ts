import { readFileSync, writeFileSync } from 'node:fs';
import type { FaultCase } from './faults-cases.js';
import type { FaultOutcome } from './faults-run.js';

const DOCUMENT = new URL('../../docs/entropy/faults.md', import.meta.url);
const BEGIN = '<!-- fault tables: npm run faults -->';
const END = '<!-- end of the fault tables -->';

const HEADER = [
  'Fault',
  'True min-entropy',
  'Found by',
  'After samples',
  'Below the claim by then',
  'Windows thrown away',
  'Below-claim bits released',
] as const;

/** A fault and what became of it. */
export interface FaultRow {
  readonly fault: FaultCase;
  readonly outcome: FaultOutcome;
}

/** The cells of a row as the document shows them. */
export function cellsOf({ fault, outcome }: FaultRow): readonly string[] {
  const { trueMinEntropy, foundBy, level, latency, belowClaim, discardedWindows, escapedBits } = outcome;
  return [
    fault.fault,
    trueMinEntropy === undefined ? 'no samples' : trueMinEntropy.toFixed(2),
    foundBy === undefined ? 'nothing' : level === 'error' ? `\`${foundBy}\`` : `${foundBy} (${level})`,
    latency === undefined ? (level === 'error' ? 'at once' : 'never') : grouped(latency),
    grouped(belowClaim),
    grouped(discardedWindows),
    grouped(escapedBits),
  ];
}

/** A table for each source, as the formatter writes it. */
export function renderTables(rows: readonly FaultRow[]): string {
  const sources = [...new Set(rows.map(({ fault }) => fault.source))];
  return sources
    .map((source) => {
      const own = rows.filter(({ fault }) => fault.source === source);
      const claim = own[0]?.outcome.claim ?? 0;
      const title = `### ${capitalised(source)}, ${claim} bits a sample claimed`;
      return `${title}\n\n${aligned([HEADER, ...own.map(cellsOf)])}`;
    })
    .join('\n\n');
}

/** What the document shows. */
export function tablesInDocument(): string {
  const { text, begin, end } = region();
  return text.slice(begin, end).trim();
}

/** The cells of the document by source and fault. */
export function rowsInDocument(): ReadonlyMap<string, readonly string[]> {
  const rows = new Map<string, readonly string[]>();
  let source = '';
  for (const line of tablesInDocument().split('\n')) {
    const title = /^### (.*), [0-9.]+ bits a sample claimed$/.exec(line)?.[1];
    if (title !== undefined) source = title;
    if (!line.startsWith('|')) continue;
    const cells = line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());
    const [fault = ''] = cells;
    if (fault !== HEADER[0] && !/^-+$/.test(fault)) rows.set(rowName(source, fault), cells);
  }
  return rows;
}

/** What a row is called. */
export function rowName(source: string, fault: string): string {
  return `${capitalised(source)}: ${fault}`;
}

/** Puts the tables into the document, in place of those that it has. */
export function writeTables(tables: string): void {
  const { text, begin, end } = region();
  writeFileSync(DOCUMENT, `${text.slice(0, begin)}\n\n${tables}\n\n${text.slice(end)}`);
}

function region(): { readonly text: string; readonly begin: number; readonly end: number } {
  const text = readFileSync(DOCUMENT, 'utf8');
  const begin = text.indexOf(BEGIN) + BEGIN.length;
  const end = text.indexOf(END);
  const found = begin >= BEGIN.length && end >= begin;
  if (!found) throw new Error('docs/entropy/faults.md has no place for the tables');
  return { text, begin, end };
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = HEADER.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const [header = HEADER, ...body] = rows;
  return [line(header), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n');
}

function grouped(value: number): string {
  return value.toLocaleString('en-US');
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
