import { Collusion } from './collusion-cells.js';
import type { Cell, Column } from './collusion-cells.js';

export const COLUMNS: readonly Column[] = [
  { name: 'no direct KEM', direct: false, firstContactAll: false },
  { name: 'default', direct: true, firstContactAll: false },
  { name: 'first contact dealt to all', direct: true, firstContactAll: true },
];

interface Row {
  readonly name: string;
  readonly run: (collusion: Collusion) => Cell;
  /** What else must happen, where the answer of the default column is no. */
  readonly note?: string;
}

export const ROWS: readonly Row[] = [
  { name: 'fewer than k nodes, active', run: (collusion) => collusion.fewer() },
  {
    name: 'k or more nodes, recording only, or seized later',
    run: (collusion) => collusion.recording(),
    note: 'must also break ML-KEM',
  },
  {
    name: 'k or more nodes but not all, active, first contact',
    run: (collusion) => collusion.several(),
  },
  { name: 'all nodes, active, first contact', run: (collusion) => collusion.all() },
  { name: 'all nodes, active, the pair has met before', run: (collusion) => collusion.later() },
  { name: 'a quantum computer and a recording, no node', run: (collusion) => collusion.quantum() },
];

export function runCell(row: Row, column: Column): Cell {
  return row.run(new Collusion(row.name, column));
}

/** Whether every coalition of the row learns the key, none does, or only some of them. */
export function verdictOf({ trials }: Cell): 'yes' | 'no' | 'some' {
  const learned = trials.filter((strategies) => strategies.some((trial) => trial.learned));
  if (learned.length === 0) return 'no';
  return learned.length === trials.length ? 'yes' : 'some';
}

function cellText({ note }: Row, verdict: string, column: number): string {
  const annotated = note !== undefined && verdict === 'no' && COLUMNS[column]?.name === 'default';
  return annotated ? `${verdict} (${note})` : verdict;
}

/** The table in Markdown, as prettier aligns it. */
export function renderTable(verdicts: readonly (readonly string[])[]): string {
  const lines = [
    ['Coalition', ...COLUMNS.map(({ name }) => name)],
    ...ROWS.map((row, r) =>
      [row.name].concat((verdicts[r] ?? []).map((verdict, c) => cellText(row, verdict, c))),
    ),
  ];
  const widths = [0, ...COLUMNS].map((_, c) => Math.max(...lines.map((cells) => (cells[c] ?? '').length)));
  const render = (cells: readonly string[], fill: string): string =>
    `| ${widths.map((width, c) => (cells[c] ?? '').padEnd(width, fill)).join(' | ')} |`;
  const [head = [], ...body] = lines;
  return [render(head, ' '), render([], '-'), ...body.map((cells) => render(cells, ' '))].join('\n');
}
