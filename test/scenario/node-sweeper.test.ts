import { openMemoryStore } from '@symmetra/storage';
import type { Change } from '@symmetra/storage';
import { ManualClock } from '@symmetra/testing';
import { expect, test } from 'vitest';
import { Sweeper } from '../../packages/node/src/shares/sweeper.js';
import type { SweptTable } from '../../packages/node/src/shares/sweeper.js';

const PAGES = 3;
/** Pages of 500 rows each, and one row more. */
const ROWS = PAGES * 500 + 1;

/** A sweeper of one table in a store of its own, which counts the rows that it looks at. */
async function sweeping(isLongLived: boolean, goes: () => boolean) {
  const store = openMemoryStore();
  const rows: Change[] = Array.from({ length: ROWS }, (_, i) => ({
    key: `row/${String(i).padStart(4, '0')}`,
    value: Uint8Array.of(1),
  }));
  for (let i = 0; i < ROWS; i += 100) await store.commit(rows.slice(i, i + 100));
  let seen = 0;
  const table: SweptTable = {
    prefix: 'row/',
    isLongLived,
    visit(key) {
      seen += 1;
      return goes() ? store.commit([{ key, value: null }]) : undefined;
    },
  };
  const logger = { debug: noLog, info: noLog, warn: noLog, error: noLog, child: () => logger };
  const clock = new ManualClock();
  const sweeper = new Sweeper({
    clock,
    logger,
    store,
    isDue: () => true,
    tables: [table],
    also: () => undefined,
  });
  const run = async (): Promise<number> => {
    const before = seen;
    await sweeper.run();
    return seen - before;
  };
  return { store, run };
}

function noLog(): void {}

test('rows that are long-lived are looked at page by page while nothing has to go, and in the end all of them', async () => {
  const { run } = await sweeping(true, () => false);
  const looks: number[] = [];
  for (let i = 0; i <= PAGES + 1; i++) looks.push(await run());
  expect(looks).toEqual([500, 500, 500, 1, 500]);
});

test('one run looks at all rows that are long-lived while a tenth of them has to go', async () => {
  let n = 0;
  const { store, run } = await sweeping(true, () => n++ % 10 === 0);
  expect(await run()).toBe(ROWS);
  expect(await store.scan('row/')).toHaveLength(ROWS - (PAGES * 50 + 1));
});

test('one run looks at all rows that may not outlast their time', async () => {
  const { run } = await sweeping(false, () => false);
  expect(await run()).toBe(ROWS);
});
