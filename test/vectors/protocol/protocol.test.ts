import { readFileSync, readdirSync } from 'node:fs';
import { createSuites, nobleBackend, nodeBackend } from '@symmetra/crypto';
import type { Backend } from '@symmetra/crypto';
import { describe, expect, test } from 'vitest';
import { vectorFiles } from './files.js';

const DATA = new URL('data/', import.meta.url);
const LARGEST_TOTAL = 1_500_000;

const native = nodeBackend();
const backends: readonly Backend[] = [...(native ? [native] : []), nobleBackend];

test('both back ends take part', () => {
  expect(backends.map(({ name }) => name)).toEqual(['node:crypto', 'noble']);
});

describe.each(backends)('protocol vectors on $name', (backend) => {
  const files = vectorFiles(createSuites(backend));

  test.each([...files])('%s is what the generator makes, byte for byte', (name, text) => {
    expect(text).toBe(readFileSync(new URL(name, DATA), 'utf8'));
  });

  test('there is no other file, and all together stay small', () => {
    expect(readdirSync(DATA).toSorted()).toEqual([...files.keys()].toSorted());
    const total = [...files.values()].reduce((sum, text) => sum + text.length, 0);
    expect(total).toBeLessThan(LARGEST_TOTAL);
  });
});
