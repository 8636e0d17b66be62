import { describe, expect, test } from 'vitest';
import { read } from './source-tree.js';

interface Mutant {
  readonly name: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  readonly breaks: string;
  readonly suites: readonly string[];
}

/** The list is plain JavaScript: the script that plants it runs without a build. */
const LIST = new URL('../../scripts/mutants/planted.mjs', import.meta.url).href;
const { GROUPS, PLANTED } = (await import(LIST)) as {
  readonly GROUPS: Readonly<Record<string, readonly Mutant[]>>;
  readonly PLANTED: readonly Mutant[];
};

describe('the planted bugs', () => {
  test('are at least ten in each group, each with a name of its own', () => {
    for (const [group, mutants] of Object.entries(GROUPS)) {
      expect(mutants.length, group).toBeGreaterThanOrEqual(10);
    }
    expect(new Set(PLANTED.map(({ name }) => name)).size).toBe(PLANTED.length);
  });

  test.each(PLANTED)('$name: its place is found exactly once, and its suites exist', (mutant) => {
    expect(read(mutant.file).split(mutant.find)).toHaveLength(2);
    expect(mutant.replace).not.toBe(mutant.find);
    for (const suite of mutant.suites) expect(read(suite)).toMatch(/\b(?:test|it)\(/);
  });

  test('stand in docs/mutants.md, and nothing else does', () => {
    const part = read('docs/mutants.md').split(/<!-- (?:end of )?planted -->/)[1] ?? '';
    const rows = part.split('\n').filter((line) => line.startsWith('| ') && line.includes('`packages/'));
    const named = rows.map((line) => line.split('|')[1]?.trim());
    expect(named).toEqual(PLANTED.map(({ name }) => name));
  });
});
