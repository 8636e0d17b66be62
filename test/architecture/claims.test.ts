import { describe, expect, test } from 'vitest';
import { filesUnder, read } from './source-tree.js';

/*
 * docs/protocol/12-claims.md lists what the protocol promises and what backs each claim. This test keeps the list, the
 * models of docs/models with their results, and the titles of the tests in step.
 */
const CLAIMS = 'docs/protocol/12-claims.md';
const MODELS = 'docs/models';
const CLAIM_ID = /\bC-(?:ENROL|RATCHET|SESSION|PAIRWISE|CHANNEL|CONTROL|SECRET|LINK|GROUP)-\d+\b/g;
/** The first argument of `test(`, `describe(`, `simulate(` and of what `test.each(...)` and `skipIf(...)` give. */
const TITLE = /(?:\b(?:test|it|describe|simulate)(?:\.\w+)*|\))\(\s*(['"`])(.*?)\1/g;
/** Queries that ask whether something can happen at all: `false` is ProVerif's word for yes. */
const REACHED = new Set(['completes', 'opens', 'responds', 'refuses', 'proves-itself', 'clone-found']);
const NAMED_QUERY = /^\(\* \[([a-z0-9-]+)\] \*\)\nquery /gm;

interface Claim {
  readonly id: string;
  readonly text: string;
  readonly queries: readonly string[];
  readonly tests: readonly { readonly file: string; readonly title: string }[];
  readonly backing: readonly string[];
}

function claimOf(section: string): Claim {
  const [id = '', ...rest] = section.split('\n');
  const body = rest.join('\n');
  const text = body.slice(0, body.search(/^- /m)).trim();
  // The formatter may break a long item into lines that are indented.
  const backing = body
    .replaceAll(/\n {2,}/g, ' ')
    .split('\n')
    .filter((line) => line.startsWith('- '));
  const models = backing.flatMap((line) => {
    const [, kind, file = '', names = ''] = /^- (model|attack) `([^`]+)`: (.+)$/.exec(line) ?? [];
    const wrong = kind === undefined || (kind === 'attack') !== file.startsWith('attacks/');
    return wrong
      ? []
      : [{ line, queries: Array.from(names.matchAll(/`([^`]+)`/g), ([, q = '']) => `${file} ${q}`) }];
  });
  const tests = backing.flatMap((line) => {
    const [, file, title] = /^- test `([^`]+)`: (.+)$/.exec(line) ?? [];
    return file === undefined || title === undefined ? [] : [{ line, file, title }];
  });
  const understood = new Set([...models, ...tests].map(({ line }) => line));
  expect(backing.filter((line) => !understood.has(line))).toEqual([]);
  return { id: id.trim(), text, queries: models.flatMap(({ queries }) => queries), tests, backing };
}

const claims = read(CLAIMS)
  .split(/^### /m)
  .slice(1)
  .map((section) => claimOf(section.split(/^## /m)[0] ?? ''));

const models = filesUnder(MODELS)
  .filter((path) => path.endsWith('.pv'))
  .map((path) => ({ name: path.slice(MODELS.length + 1), text: read(path) }));
const queries = models.flatMap(({ name, text }) =>
  Array.from(text.matchAll(NAMED_QUERY), ([, query = '']) => `${name} ${query}`),
);
const expected = read(`${MODELS}/expected.txt`).trim().split('\n');

const without = (some: readonly string[], others: readonly string[]): readonly string[] => {
  const known = new Set(others);
  return some.filter((one) => !known.has(one));
};
const repeated = (some: readonly string[]): readonly string[] =>
  some.filter((one, i) => some.indexOf(one) !== i);

function titlesOf(file: string): readonly string[] {
  return Array.from(read(file).matchAll(TITLE), ([, , title = '']) => title);
}

describe('the models', () => {
  test('are found at all, with a name for each query', () => {
    expect(models.length).toBeGreaterThan(20);
    const unnamed = models.filter(
      ({ text }) => (text.match(/^query /gm) ?? []).length !== (text.match(NAMED_QUERY) ?? []).length,
    );
    expect(unnamed.map(({ name }) => name)).toEqual([]);
    expect(repeated(queries)).toEqual([]);
  });

  test('each have their queries in the list of results, in order, with a result', () => {
    expect(expected.filter((line) => !/^\S+ \S+ (?:true|false)$/.test(line))).toEqual([]);
    const listed = expected.map((line) => line.split(' ').slice(0, 2).join(' '));
    for (const { name } of models) {
      const own = (line: string): boolean => line.startsWith(`${name} `);
      expect(listed.filter(own)).toEqual(queries.filter(own));
    }
    expect(without(listed, queries)).toEqual([]);
  });

  test('are each described in their README', () => {
    const readme = read(`${MODELS}/README.md`);
    expect(models.filter(({ name }) => !readme.includes(`\`${name}\``)).map(({ name }) => name)).toEqual([]);
  });

  test('of attacks each have a query that fails, and every model can do what it is about', () => {
    const results = expected.map((line) => line.split(' '));
    const failed = results.filter(([, query = '', result]) => !REACHED.has(query) && result === 'false');
    const attacks = models.map(({ name }) => name).filter((name) => name.startsWith('attacks/'));
    expect(attacks.length).toBeGreaterThan(5);
    expect(
      without(
        attacks,
        failed.map(([model = '']) => model),
      ),
    ).toEqual([]);
    expect(results.filter(([, query = '', result]) => REACHED.has(query) && result !== 'false')).toEqual([]);
  });
});

describe('the claims', () => {
  test('are found at all, each with a sentence and an id of its own', () => {
    expect(claims.length).toBeGreaterThan(20);
    expect(claims.filter(({ id }) => id.match(CLAIM_ID)?.[0] !== id).map(({ id }) => id)).toEqual([]);
    expect(repeated(claims.map(({ id }) => id))).toEqual([]);
    expect(claims.filter(({ text }) => !text.endsWith('.')).map(({ id }) => id)).toEqual([]);
  });

  test('are each backed by a model or a test', () => {
    expect(claims.filter(({ backing }) => backing.length === 0).map(({ id }) => id)).toEqual([]);
  });

  test('name queries that the models have, and every one of them', () => {
    const named = claims.flatMap((claim) => claim.queries);
    expect(without(named, queries)).toEqual([]);
    expect(without(queries, named)).toEqual([]);
  });

  test('name tests that exist', () => {
    const named = claims.flatMap((claim) => claim.tests);
    const files = new Set(filesUnder('test'));
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter(({ file }) => !files.has(file) || !file.endsWith('.test.ts'))).toEqual([]);
    expect(named.filter(({ file, title }) => !titlesOf(file).includes(title))).toEqual([]);
  });

  test('that other documents mention exist', () => {
    const documents = ['SECURITY.md', 'README.md', ...filesUnder('docs')].filter((path) =>
      path.endsWith('.md'),
    );
    const mentioned = documents.flatMap((path) => read(path).match(CLAIM_ID) ?? []);
    expect(
      without(
        mentioned,
        claims.map(({ id }) => id),
      ),
    ).toEqual([]);
  });
});
