import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { LABELS } from '@symmetra/crypto';
import { describe, expect, test } from 'vitest';
import {
  filesUnder,
  gitFiles,
  isGenerated,
  packageNames,
  read,
  root,
  sourcesOf,
  withoutComments,
} from './source-tree.js';

const ERRORS = ['docs/protocol/10-errors.md', 'docs/entropy/errors.md'];
const SUITES = 'docs/protocol/02-suites.md';

/** The cells of every row of every table in a document. */
function tableRows(document: string): string[][] {
  return read(document)
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

const unquoted = (cell: string): string => cell.replaceAll('`', '');

describe('the error codes', () => {
  /*
   * Where a code stands in code: in front of its sentence; alone as the first argument of an error; as the value of a
   * field `code`; as what a function returns.
   */
  const CODE = "'([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*)'";
  const THROWN = [
    new RegExp(`${CODE},\\s*(?:"|\`|'(?![A-Z0-9_]+'))`, 'g'),
    new RegExp(`(?:Error|super|Refusal)\\(\\s*${CODE}`, 'g'),
    new RegExp(`\\b(?:code|reason): ${CODE}`, 'g'),
    new RegExp(`\\breturn ${CODE}`, 'g'),
    new RegExp(`\\? ${CODE} :|\\?\\? ${CODE}`, 'g'),
  ];
  /** Upper-case words in these places that are no codes: states of the standard health service, an audit outcome, a test. */
  const NO_CODES = new Set(['SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN', 'UNKNOWN', 'OK', 'FFT']);

  const sources = packageNames
    .filter((name) => name !== 'testing')
    .flatMap(sourcesOf)
    .filter((file) => !isGenerated(file));

  const thrown = new Map<string, string>();
  for (const file of sources) {
    const code = withoutComments(read(file));
    for (const pattern of THROWN) {
      for (const match of code.matchAll(pattern)) {
        const found = match.slice(1).find((group) => group !== undefined) ?? '';
        if (!NO_CODES.has(found)) thrown.set(found, file);
      }
    }
  }

  const documented = ERRORS.flatMap(tableRows)
    .map(([cell = '']) => cell)
    .filter((cell) => /^`[A-Z][A-Z0-9_]*`$/.test(cell))
    .map(unquoted);

  test('are found at all', () => {
    expect(sources.length).toBeGreaterThan(100);
    expect(thrown.size).toBeGreaterThan(100);
    expect(documented.length).toBeGreaterThan(100);
  });

  test('that the packages raise stand in the list', () => {
    const missing = [...thrown].filter(([code]) => !documented.includes(code));
    expect(missing).toEqual([]);
  });

  test('in the list are raised by a package', () => {
    expect(documented.filter((code) => !thrown.has(code))).toEqual([]);
  });

  test('stand in the list once each', () => {
    expect(documented.filter((code, i) => documented.indexOf(code) !== i)).toEqual([]);
  });
});

test('the label table is that of the code', () => {
  const table = tableRows(SUITES)
    .filter(([, label = '']) => label.startsWith('`symmetra/'))
    .map(([name = '', label = '']) => [name, unquoted(label)]);
  expect(table.length).toBeGreaterThan(0);
  expect(Object.fromEntries(table)).toEqual({ ...LABELS });
  expect(table.length).toBe(Object.keys(LABELS).length);
});

describe('the documents', () => {
  const LINK = /\[[^\]]*\]\(([^)\s]+)\)/g;
  const documents = (gitFiles() ?? filesUnder('.').filter((path) => !path.includes('node_modules/'))).filter(
    (path) => path.endsWith('.md'),
  );
  const links = documents.flatMap((document) =>
    [...withoutFences(read(document)).matchAll(LINK)].map(([, target = '']) => ({ document, target })),
  );
  const relative = links.filter(({ target }) => !/^[a-z]+:/.test(target));

  test('are found, and have links', () => {
    expect(documents.length).toBeGreaterThan(20);
    expect(relative.length).toBeGreaterThan(50);
  });

  test('link to files that exist', () => {
    const broken = relative.filter(
      ({ document, target }) => !existsSync(join(root, pathOf(document, target))),
    );
    expect(broken).toEqual([]);
  });

  test('link to headings that exist', () => {
    const broken = relative.filter(({ document, target }) => {
      const [, anchor] = target.split('#');
      const path = pathOf(document, target);
      return anchor !== undefined && path.endsWith('.md') && !anchorsOf(path).includes(anchor);
    });
    expect(broken).toEqual([]);
  });
});

function pathOf(document: string, target: string): string {
  const [path = ''] = target.split('#');
  return path === '' ? document : normalize(join(dirname(document), path));
}

/** The anchors of a document's headings, as forges make them. */
function anchorsOf(document: string): string[] {
  return withoutFences(read(document))
    .split('\n')
    .filter((line) => /^#{1,6} /.test(line))
    .map((line) =>
      line
        .replace(/^#+ /, '')
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    );
}

function withoutFences(text: string): string {
  return text.replaceAll(/^```[\s\S]*?^```/gm, '');
}
