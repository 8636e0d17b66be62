// docs/mutants.md: what was planted and what caught it, and what the sweep left.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from '../setup.mjs';
import { PLANTED } from './planted.mjs';

/** @typedef {import('./planted.mjs').Mutant} Mutant */
/** @typedef {import('./sweep.mjs').SweepResult} SweepResult */
/** @typedef {{ mutant: Mutant, test: string, file: string }} Caught */

const DOCUMENT = 'docs/mutants.md';

/**
 * Writes the row of each mutant that was run and caught; those of mutants that were not run stay as they are.
 * @param {readonly Mutant[]} ran
 * @param {readonly Caught[]} caught
 */
export async function writePlanted(ran, caught) {
  const written = new Map(readRows('planted').map((row) => [row[0] ?? '', row]));
  for (const { name } of ran) written.delete(name);
  for (const { mutant, test, file } of caught) {
    written.set(mutant.name, [mutant.name, `\`${mutant.file}\``, mutant.breaks, `\`${file}\`: ${test}`]);
  }
  const rows = PLANTED.flatMap(({ name }) => {
    const row = written.get(name);
    return row === undefined ? [] : [row];
  });
  await writePart('planted', table(['Mutant', 'In', 'What it breaks', 'Caught by'], rows));
}

/** @param {SweepResult} result */
export async function writeSweep({ places, ran, caught, late, broken, equivalent, survivors }) {
  const sentence =
    `${places} mutations, ${ran} of them run: ${caught} caught by a failing test, ${late} by a run that did not ` +
    `end in its time, ${broken} only by a test file that computes while it loads, ${equivalent.length} equivalent, ` +
    `${survivors.length} survived.`;
  const left = [
    ...equivalent.map(({ mutation, reason }) => ({ mutation, reason })),
    ...survivors.map((mutation) => ({ mutation, reason: '**not caught**' })),
  ];
  const rows = left.map(({ mutation, reason }) => [
    `\`${mutation.file}\``,
    `\`${mutation.line}\``,
    `\`${mutation.from}\` to \`${mutation.to}\` (${mutation.nth})`,
    reason,
  ]);
  const listed = table(
    ['In', 'Line', 'Change (which of its kind in the line)', 'Why no test can see it'],
    rows,
  );
  await writePart('sweep', rows.length === 0 ? sentence : `${sentence}\n\n${listed}`);
}

/**
 * @param {readonly string[]} head
 * @param {readonly (readonly string[])[]} rows
 * @returns {string}
 */
function table(head, rows) {
  const line = (/** @type {readonly string[]} */ cells) =>
    `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/**
 * The cells of a part's table, without its head.
 * @param {string} part
 * @returns {string[][]}
 */
function readRows(part) {
  const [, rest] = split(readFileSync(join(root, DOCUMENT), 'utf8'), `<!-- ${part} -->`);
  const [text] = split(rest, `<!-- end of ${part} -->`);
  const lines = text.split('\n').filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll(String.raw`\|`, '|')),
  );
}

/**
 * Replaces what stands between the two marks of a part.
 * @param {string} part
 * @param {string} text
 */
async function writePart(part, text) {
  const path = join(root, DOCUMENT);
  const [before, rest] = split(readFileSync(path, 'utf8'), `<!-- ${part} -->`);
  const [, after] = split(rest, `<!-- end of ${part} -->`);
  writeFileSync(path, `${before}<!-- ${part} -->\n\n${text}\n\n<!-- end of ${part} -->${after}`);
  await run('prettier', ['--write', '--log-level', 'warn', DOCUMENT]);
}

/**
 * @param {string} text
 * @param {string} mark
 * @returns {[string, string]} what stands before and behind it
 */
function split(text, mark) {
  const at = text.indexOf(mark);
  if (at < 0) throw new Error(`${DOCUMENT} has no mark ${mark}`);
  return [text.slice(0, at), text.slice(at + mark.length)];
}
