import { basename } from 'node:path';
import { MAX_SEALED_VALUE_BYTES, MAX_VALUE_BYTES, openRedisStore, sealStore } from '@symmetra/storage';
import type { Store } from '@symmetra/storage';
import { osRandom } from '@symmetra/entropy';
import { RedisServer, redisServerMissing } from '@symmetra/testing';
import { assert, asyncProperty, array, constantFrom, nat, option, record, uint8Array } from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  fromText,
  masterKey,
  openStore,
  refusal,
  storeKinds,
  temporaryDirectory,
  text,
} from './store-fixtures.js';
import type { StoreKind } from './store-fixtures.js';

const missing = redisServerMissing();
let redis: RedisServer | undefined;

beforeAll(async () => {
  if (missing === undefined) redis = await RedisServer.start();
});
afterAll(() => redis?.end());

const openRedis = async (dir: string) =>
  openRedisStore({ server: { url: redis?.url ?? '' }, prefix: basename(dir) });
const redisKinds: readonly StoreKind[] = [
  { name: 'Redis', durable: true, maxValueBytes: MAX_VALUE_BYTES, open: openRedis },
  {
    name: 'sealed Redis',
    durable: true,
    maxValueBytes: MAX_SEALED_VALUE_BYTES,
    open: async (dir) => sealStore(await openRedis(dir), masterKey(), osRandom().bytes),
  },
];

describe.each([...storeKinds, ...redisKinds])('the store contract: $name', (kind) => {
  beforeEach(({ skip }) => skip(redisKinds.includes(kind) && missing !== undefined, missing));

  const fresh = async () => openStore(kind, await temporaryDirectory());

  it('gives back what was committed, and nothing for a key that is not there', async () => {
    const store = await fresh();
    expect(await store.get('device/alice')).toBeUndefined();
    expect(await store.commit([{ key: 'device/alice', value: text('one') }])).toBe(true);
    const row = await store.get('device/alice');
    expect(fromText(row?.value)).toBe('one');
    expect(row?.value.constructor).toBe(Uint8Array);
    expect(row?.version).toBeGreaterThanOrEqual(1);
  });

  it('keeps empty values apart from absent rows', async () => {
    const store = await fresh();
    await store.commit([{ key: 'a', value: new Uint8Array(0) }]);
    expect((await store.get('a'))?.value).toEqual(new Uint8Array(0));
    await store.commit([{ key: 'a', value: null }]);
    expect(await store.get('a')).toBeUndefined();
  });

  it('keeps values of all sizes up to the limit, and refuses more', async () => {
    const store = await fresh();
    for (const length of [1, 100, 4_000, 4_096, 70_000, kind.maxValueBytes]) {
      const value = new Uint8Array(length).map((_, i) => (i * 31 + length) & 0xff);
      await store.commit([{ key: 'a', value }]);
      expect(Buffer.compare((await store.get('a'))?.value ?? new Uint8Array(0), value)).toBe(0);
    }
    const oversized = new Uint8Array(kind.maxValueBytes + 1);
    expect(await refusal(store.commit([{ key: 'a', value: oversized }]))).toBe('VALUE_TOO_LARGE');
  });

  it('copies: neither side sees what the other does to its bytes afterwards', async () => {
    const store = await fresh();
    const value = text('one');
    const committed = store.commit([{ key: 'a', value }]);
    value.fill(0);
    await committed;
    const read = await store.get('a');
    expect(fromText(read?.value)).toBe('one');
    read?.value.fill(0);
    expect(fromText((await store.get('a'))?.value)).toBe('one');
    const [scanned] = await store.scan('a');
    scanned?.row.value.fill(0);
    expect(fromText((await store.get('a'))?.value)).toBe('one');
  });

  it('holds expectations against the current version', async () => {
    const store = await fresh();
    expect(await store.commit([{ key: 'a', value: text('1'), expect: 1 }])).toBe(false);
    expect(await store.commit([{ key: 'a', value: text('1'), expect: 0 }])).toBe(true);
    expect(await store.commit([{ key: 'a', value: text('2'), expect: 0 }])).toBe(false);
    const first = (await store.get('a'))?.version as number;
    expect(await store.commit([{ key: 'a', value: text('2'), expect: first }])).toBe(true);
    expect(await store.commit([{ key: 'a', value: text('3'), expect: first }])).toBe(false);
    expect(await store.commit([{ key: 'a', value: null, expect: first }])).toBe(false);
    const second = (await store.get('a'))?.version as number;
    expect(second).toBeGreaterThan(first);
    expect(await store.commit([{ key: 'a', value: null, expect: second }])).toBe(true);
    expect(await store.get('a')).toBeUndefined();
  });

  it('never gives a version to a key again, not even after it was deleted', async () => {
    const store = await fresh();
    const versions: number[] = [];
    for (let i = 0; i < 20; i++) {
      await store.commit([{ key: 'a', value: text('same') }]);
      versions.push((await store.get('a'))?.version as number);
      if (i % 3 === 0) await store.commit([{ key: 'a', value: null }]);
    }
    expect(versions).toEqual([...new Set(versions)].toSorted((a, b) => a - b));
  });

  it('makes all changes of a commit or none', async () => {
    const store = await fresh();
    await store.commit([{ key: 'a', value: text('old') }]);
    const refused = [
      { key: 'a', value: text('new') },
      { key: 'b', value: text('new') },
      { key: 'c', value: text('new'), expect: 99 },
    ];
    expect(await store.commit(refused)).toBe(false);
    expect(fromText((await store.get('a'))?.value)).toBe('old');
    expect(await store.get('b')).toBeUndefined();
    expect(await store.commit(refused.map(({ key, value }) => ({ key, value })))).toBe(true);
    expect((await store.scan('')).map(({ row }) => fromText(row.value))).toEqual(['new', 'new', 'new']);
    expect(await store.commit([])).toBe(true);
  });

  it('loses none of 100 concurrent increments', async () => {
    const store = await fresh();
    const increment = async (): Promise<number> => {
      for (let attempt = 1; attempt <= 101; attempt++) {
        const row = await store.get('counter');
        const value = text(String(Number(fromText(row?.value) || '0') + 1));
        if (await store.commit([{ key: 'counter', value, expect: row?.version ?? 0 }])) return attempt;
      }
      return Number.POSITIVE_INFINITY;
    };
    const attempts = await Promise.all(Array.from({ length: 100 }, increment));
    expect(fromText((await store.get('counter'))?.value)).toBe('100');
    expect(Math.max(...attempts)).toBeLessThanOrEqual(101);
  });

  it('lets exactly one of many who expect the same version win', async () => {
    const store = await fresh();
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, (_, i) => store.commit([{ key: 'a', value: text(`${i}`), expect: 0 }])),
    );
    expect(outcomes.filter(Boolean)).toHaveLength(1);
    expect(fromText((await store.get('a'))?.value)).toBe(`${outcomes.indexOf(true)}`);
  });

  it('applies commits of one turn in order', async () => {
    const store = await fresh();
    const outcomes = await Promise.all([
      store.commit([{ key: 'a', value: text('1'), expect: 0 }]),
      store.commit([{ key: 'a', value: null }]),
      store.commit([{ key: 'a', value: text('3'), expect: 0 }]),
      store.commit([{ key: 'a', value: text('4'), expect: 0 }]),
    ]);
    expect(outcomes).toEqual([true, true, true, false]);
    expect(fromText((await store.get('a'))?.value)).toBe('3');
  });

  it('scans by prefix, in key order, page by page', async () => {
    const store = await fresh();
    const keys = ['a', 'a/1', 'a/10', 'a/2', 'a/~', 'a b', 'a0', 'b/1', 'B/1', '~'];
    for (const key of keys.toReversed()) await store.commit([{ key, value: text(key) }]);
    const all = await store.scan('');
    expect(all.map(({ key }) => key)).toEqual(keys.toSorted());
    expect(all.every(({ key, row }) => fromText(row.value) === key)).toBe(true);
    const names = async (...scan: Parameters<Store['scan']>) =>
      (await store.scan(...scan)).map(({ key }) => key);
    expect(await names('a/')).toEqual(['a/1', 'a/10', 'a/2', 'a/~']);
    expect(await names('a/1')).toEqual(['a/1', 'a/10']);
    expect(await names('a/', { limit: 2 })).toEqual(['a/1', 'a/10']);
    expect(await names('a/', { after: 'a/10', limit: 2 })).toEqual(['a/2', 'a/~']);
    expect(await names('a/', { after: 'a/11' })).toEqual(['a/2', 'a/~']);
    expect(await names('a/', { after: 'a/~' })).toEqual([]);
    expect(await names('a/', { after: 'A' })).toEqual(['a/1', 'a/10', 'a/2', 'a/~']);
    expect(await names('a/', { after: 'b' })).toEqual([]);
    expect(await names('a/', { limit: 0 })).toEqual([]);
    expect(await names('nothing/')).toEqual([]);
  });

  it('refuses keys, prefixes and commits that no store may take', async () => {
    const store = await fresh();
    for (const key of ['', '/', 'a/', '/a', 'a//b', 'é', 'a\n', 'a\u007f', 'k'.repeat(256)]) {
      expect(await refusal(store.get(key))).toBe('BAD_KEY');
      expect(await refusal(store.commit([{ key, value: text('x') }]))).toBe('BAD_KEY');
    }
    expect(await refusal(store.scan('a\u0000'))).toBe('BAD_KEY');
    expect(await refusal(store.scan('', { after: 'é' }))).toBe('BAD_KEY');
    const twice = [
      { key: 'a', value: text('1') },
      { key: 'a', value: text('2') },
    ];
    expect(await refusal(store.commit(twice))).toBe('DUPLICATE_KEY');
    expect(await store.scan('')).toEqual([]);
    const longest = 'k'.repeat(255);
    expect(await store.commit([{ key: longest, value: text('x') }])).toBe(true);
    expect((await store.scan('k')).map(({ key }) => key)).toEqual([longest]);
  });

  it('finishes the commits under way when it closes, and refuses later calls', async () => {
    const store = await fresh();
    const committed = store.commit([{ key: 'a', value: text('x') }]);
    const closed = store.close();
    expect(await committed).toBe(true);
    await closed;
    await store.close();
    expect(await refusal(store.get('a'))).toBe('STORE_CLOSED');
    expect(await refusal(store.scan(''))).toBe('STORE_CLOSED');
    expect(await refusal(store.commit([{ key: 'a', value: null }]))).toBe('STORE_CLOSED');
  });

  it('behaves as a plain map does, whatever is committed', async () => {
    const change = record({
      key: constantFrom('a', 'a/b', 'a/c', 'b', 'c/d/e'),
      value: option(uint8Array({ maxLength: 40 })),
      expectation: constantFrom('none', 'current', 'absent', 'stale'),
    });
    const commits = array(array(change, { minLength: 1, maxLength: 3 }), { maxLength: 12 });
    await assert(
      asyncProperty(commits, nat(3), async (list, concurrency) => {
        const store = await kind.open(await temporaryDirectory());
        const model = new Map<string, Uint8Array>();
        for (const [i, changes] of list.entries()) {
          const unique = [...new Map(changes.map((entry) => [entry.key, entry])).values()];
          const prepared = await Promise.all(
            unique.map(async ({ key, value, expectation }) => {
              const current = (await store.get(key))?.version ?? 0;
              const expected = { none: undefined, current, absent: 0, stale: current + 1_000_000 }[
                expectation
              ];
              return { key, value, ...(expected !== undefined && { expect: expected }) };
            }),
          );
          const holds = unique.every(({ key, expectation }) =>
            expectation === 'absent' ? !model.has(key) : expectation !== 'stale',
          );
          const noise = Array.from({ length: concurrency }, (_, n) =>
            store.commit([{ key: `noise/${i}/${n}`, value: text('n') }]),
          );
          expect(await store.commit(prepared)).toBe(holds);
          await Promise.all(noise);
          if (!holds) continue;
          for (const { key, value } of unique) {
            if (value === null) model.delete(key);
            else model.set(key, value);
          }
        }
        const rows = (await store.scan('')).filter(({ key }) => !key.startsWith('noise/'));
        await store.close();
        const expected = [...model].toSorted(([a], [b]) => (a < b ? -1 : 1));
        expect(rows.map(({ key, row }) => [key, row.value])).toEqual(expected);
      }),
      { numRuns: kind.durable ? 15 : 50 },
    );
  });
});
