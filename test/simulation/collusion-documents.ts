import { readFileSync, writeFileSync } from 'node:fs';

const BEGIN = '<!-- collusion table: npm run collusion -->';
const END = '<!-- end of the collusion table -->';

/** The documents that show the table. */
export const DOCUMENTS = ['README.md', 'docs/protocol/06-pairwise.md'] as const;

const urlOf = (document: string): URL => new URL(`../../${document}`, import.meta.url);

/** Where the table stands in a text: from, to. */
function regionOf(text: string, document: string): readonly [number, number] {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`${document} has no place for the collusion table`);
  return [begin + BEGIN.length, end];
}

/** The table as a document has it. */
export function tableIn(document: string): string {
  const text = readFileSync(urlOf(document), 'utf8');
  return text.slice(...regionOf(text, document)).trim();
}

/** Puts a table into a document, in place of the one that it has. */
export function writeTable(document: string, table: string): void {
  const text = readFileSync(urlOf(document), 'utf8');
  const [begin, end] = regionOf(text, document);
  writeFileSync(urlOf(document), `${text.slice(0, begin)}\n\n${table}\n\n${text.slice(end)}`);
}
