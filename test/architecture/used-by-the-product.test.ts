import { expect, test } from 'vitest';
import { packageNames, read, sourcesOf, withoutComments } from './source-tree.js';

const EXPORTED = /^export (?:abstract )?(?:async )?(?:function|const|class) (\w+)/gm;
const METHOD = /^ {2}(?:static )?(?:async )?(?:get )?([a-z]\w*)(?:<[^>]*>)?\([^\n]*\{$/gm;
/** What the language calls by itself, and the words of it that look like a method. */
const EXEMPT = new Set(['constructor', 'toJSON', 'toString', 'if', 'for', 'while', 'switch', 'catch']);

const codeOf = (name: string): string[] =>
  sourcesOf(name)
    .filter((path) => !path.endsWith('/index.ts'))
    .map((path) => withoutComments(read(path)));

/** The names that a package defines and that appear nowhere else in `product`. */
function unusedOf(own: readonly string[], product: string): string[] {
  const defined = own.flatMap((code) => [...code.matchAll(EXPORTED), ...code.matchAll(METHOD)]);
  const names = new Set(defined.map(([, name = '']) => name).filter((name) => !EXEMPT.has(name)));
  expect(names.size).toBeGreaterThan(20);
  return [...names].filter((name) => product.split(new RegExp(`\\b${name}\\b`)).length <= 2);
}

const product = packageNames.filter((name) => name !== 'testing').flatMap(codeOf);

test.each(['crypto', 'protocol'])('%s has no function and no method that only a test calls', (name) => {
  expect(unusedOf(codeOf(name), product.join('\n'))).toEqual([]);
});

test('the check notices one', () => {
  const planted = 'export function onlyTestsCallThis(): void {}\n';
  expect(unusedOf([...codeOf('protocol'), planted], [...product, planted].join('\n'))).toEqual([
    'onlyTestsCallThis',
  ]);
});
