import { readFileSync, writeFileSync } from 'node:fs';

const DOCUMENT = new URL('../../docs/entropy/gate.md', import.meta.url);
const BEGIN = '<!-- power of the gate: npm run gate-power -->';
const END = '<!-- end of the power of the gate -->';

/** Where the table stands: from, to. */
function regionOf(text: string): readonly [number, number] {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin < 0 || end < begin) throw new Error('docs/entropy/gate.md has no place for the power table');
  return [begin + BEGIN.length, end];
}

/** The table as the document has it. */
export function powerTable(): string {
  const text = readFileSync(DOCUMENT, 'utf8');
  return text.slice(...regionOf(text)).trim();
}

/** Puts a table in place of the one that the document has. */
export function writePowerTable(table: string): void {
  const text = readFileSync(DOCUMENT, 'utf8');
  const [begin, end] = regionOf(text);
  writeFileSync(DOCUMENT, `${text.slice(0, begin)}\n\n${table}\n\n${text.slice(end)}`);
}
