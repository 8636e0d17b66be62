/*
 * Fills a small file system through a store, makes room, goes on, and prints what it saw as JSON:
 * store-full-disk.ts MOUNT
 */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SymmetraError } from '@symmetra/crypto';
import { openLmdbStore } from '@symmetra/storage';
import type { Store } from '@symmetra/storage';

const [mount = ''] = process.argv.slice(2);
const ballast = join(mount, 'ballast');
const directory = join(mount, 'store');
const acknowledged: number[] = [];

async function put(store: Store, i: number): Promise<string> {
  try {
    await store.commit([
      { key: `left/${i}`, value: new Uint8Array(20_000).fill(i) },
      { key: `right/${i}`, value: Uint8Array.of(i) },
    ]);
    acknowledged.push(i);
    return 'ok';
  } catch (error) {
    return error instanceof SymmetraError ? error.code : String(error);
  }
}

async function lost(store: Store): Promise<number> {
  const rows = await Promise.all(
    acknowledged.flatMap((i) => [store.get(`left/${i}`), store.get(`right/${i}`)]),
  );
  const total = (await store.scan('')).length;
  return rows.filter((row) => row === undefined).length + Math.abs(total - rows.length);
}

await writeFile(ballast, new Uint8Array(500_000));
const first = await openLmdbStore(directory);
const outcomes: string[] = [];
for (let i = 0; i < 100 && outcomes.at(-1) !== 'STORE_FULL'; i++) outcomes.push(await put(first, i));
const atOnce = await Promise.all([200, 201, 202].map((i) => put(first, i)));
// LMDB itself would end the process when its writes fail again and again.
const again: string[] = [];
for (let i = 300; i < 350; i++) again.push(await put(first, i));
const lostWhenFull = await lost(first);
await rm(ballast);
const afterRoom = await put(first, 101);
await first.close();
const second = await openLmdbStore(directory);
const lostAfterReopening = await lost(second);
await second.close();

const seen = {
  outcomes,
  atOnce,
  again,
  lostWhenFull,
  afterRoom,
  lostAfterReopening,
  kept: acknowledged.length,
};
process.stdout.write(JSON.stringify(seen));
