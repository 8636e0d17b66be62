import { describe, expect, test } from 'vitest';
import { filesUnder, isGenerated, packageNames, read, sourcesOf, withoutComments } from './source-tree.js';

/*
 * The steps of the protocol are numbered in docs/protocol (`ENR-3`). The code that performs a step names it in a comment,
 * and a test has it in its name; neither knows a number that the documents do not.
 */
const STEP = /\b(?:ENR|ATK|SES|PAIR|CHN|CTL|LINK)-\d+\b/g;
const HEADING = /^#+ ((?:ENR|ATK|SES|PAIR|CHN|CTL|LINK)-\d+) /gm;
const COMMENT = /\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm;
/** The first argument of `test(`, `it(`, `describe(`, and of what `test.each(...)` gives. */
const TEST_NAME = /(?:\b(?:test|it|describe)(?:\.\w+)*|\))\(\s*(['"`])(.*?)\1/g;

const documents = filesUnder('docs/protocol').filter((path) => path.endsWith('.md'));
const sources = packageNames.flatMap(sourcesOf).filter((path) => !isGenerated(path));
const tests = filesUnder('test').filter((path) => path.endsWith('.test.ts'));

function stepsIn(texts: readonly string[]): readonly string[] {
  const found = new Set(texts.flatMap((text) => text.match(STEP) ?? []));
  return [...found].toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}

const documented = stepsIn(documents.map(read));
const commented = stepsIn(sources.flatMap((path) => read(path).match(COMMENT) ?? []));
const tested = stepsIn(
  tests.flatMap((path) =>
    Array.from(withoutComments(read(path)).matchAll(TEST_NAME), ([, , name = '']) => name),
  ),
);

/** Those of the first list that the second does not have. */
const without = (some: readonly string[], others: readonly string[]): readonly string[] =>
  some.filter((step) => !others.includes(step));

describe('the steps of the protocol', () => {
  test('are found at all', () => {
    expect(Math.min(documents.length, sources.length, tests.length)).toBeGreaterThan(5);
    expect(documented.length).toBeGreaterThan(30);
  });

  test('each have a section of their own in the documents', () => {
    const sections = documents.flatMap((path) =>
      Array.from(read(path).matchAll(HEADING), ([, step = '']) => step),
    );
    expect(without(documented, sections)).toEqual([]);
    expect(new Set(sections).size).toBe(sections.length);
  });

  test('are each named by the code that performs them, and by no code that the documents do not know', () => {
    expect(without(documented, commented)).toEqual([]);
    expect(without(commented, documented)).toEqual([]);
  });

  test('are each in the name of a test, and no test has a number that the documents do not know', () => {
    expect(without(documented, tested)).toEqual([]);
    expect(without(tested, documented)).toEqual([]);
  });
});
