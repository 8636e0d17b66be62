import { readFileSync, writeFileSync } from 'node:fs';

/** The two tables: of keys between two devices, and of keys of groups. */
export type TableName = 'collusion table' | 'group collusion table';

/** The documents that show the table of keys between two devices. */
export const DOCUMENTS = ['README.md', 'docs/protocol/06-pairwise.md'] as const;

/** The document that shows the table of groups. */
export const GROUP_DOCUMENT = 'docs/protocol/13-groups.md';

const urlOf = (document: string): URL => new URL(`../../${document}`, import.meta.url);

/** Where a table stands in a text: from, to. */
function regionOf(text: string, document: string, name: TableName): readonly [number, number] {
  const opening = `<!-- ${name}: npm run collusion -->`;
  const begin = text.indexOf(opening);
  const end = text.indexOf(`<!-- end of the ${name} -->`);
  if (begin < 0 || end < begin) throw new Error(`${document} has no place for the ${name}`);
  return [begin + opening.length, end];
}

/** A table as a document has it. */
export function tableIn(document: string, name: TableName = 'collusion table'): string {
  const text = readFileSync(urlOf(document), 'utf8');
  return text.slice(...regionOf(text, document, name)).trim();
}

/** Puts a table into a document, in place of the one that it has. */
export function writeTable(document: string, table: string, name: TableName = 'collusion table'): void {
  const text = readFileSync(urlOf(document), 'utf8');
  const [begin, end] = regionOf(text, document, name);
  writeFileSync(urlOf(document), `${text.slice(0, begin)}\n\n${table}\n\n${text.slice(end)}`);
}
