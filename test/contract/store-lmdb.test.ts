import { once } from 'node:events';
import { chmod, cp, mkdir, readFile, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import { openLmdbStore } from '@symmetra/storage';
import type { ScannedRow } from '@symmetra/storage';
import { isSkipped } from '@symmetra/testing';
import { describe, expect, it } from 'vitest';
import {
  fromText,
  openStore,
  refusal,
  startProgram,
  storeKinds,
  temporaryDirectory,
  text,
} from './store-fixtures.js';

const lmdb = { open: openLmdbStore };

describe.each(storeKinds.filter(({ durable }) => durable))('$name on disk', (kind) => {
  it('has every row, version and deletion again when it is opened again', async () => {
    const dir = await temporaryDirectory();
    const first = await kind.open(dir);
    for (let i = 0; i < 50; i++) await first.commit([{ key: `row/${i}`, value: text(`value ${i}`) }]);
    await first.commit([{ key: 'row/7', value: null }]);
    const before = await first.scan('');
    await first.close();
    const second = await openStore(kind, dir);
    expect(await second.scan('')).toEqual(before);
    expect(before).toHaveLength(49);
  });

  it('gives no version again after it was opened again', async () => {
    const dir = await temporaryDirectory();
    const versions: number[] = [];
    for (let opening = 0; opening < 3; opening++) {
      const store = await kind.open(dir);
      await store.commit([{ key: 'a', value: text('same'), expect: 0 }]);
      versions.push((await store.get('a'))?.version as number);
      await store.commit([{ key: 'a', value: null }]);
      await store.close();
    }
    expect(versions).toEqual([1, 3, 5]);
  });
});

/** Reads everything of a copied store, and writes to it. */
async function useCopy(dir: string, rows: readonly ScannedRow[]): Promise<void> {
  const store = await openLmdbStore(dir);
  expect(await store.scan('')).toEqual(rows);
  expect(await store.commit([{ key: 'new', value: text('new') }])).toBe(true);
  await store.close();
}

describe('an LMDB store', () => {
  it('loses nothing that it acknowledged when its process is killed', async () => {
    const dir = await temporaryDirectory();
    let previous = 0;
    for (let life = 0; life < 3; life++) {
      const child = startProgram(new URL('store-writer.ts', import.meta.url), [dir]);
      const acknowledged: number[] = [];
      let rest = '';
      child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop() ?? '';
        acknowledged.push(...lines.map(Number));
        if (acknowledged.length > 100 + 150 * life) child.kill('SIGKILL');
      });
      const [, signal] = (await once(child, 'close')) as [number | null, string | null];
      expect(signal).toBe('SIGKILL');
      const store = await openLmdbStore(dir);
      for (const i of acknowledged) {
        expect(fromText((await store.get(`left/${i}`))?.value)).toBe(`${i}`.padEnd(300, '.'));
      }
      const [left, right] = [await store.scan('left/'), await store.scan('right/')];
      expect(left.map(({ row }) => row)).toEqual(right.map(({ row }) => row));
      const highest = Math.max(...left.map(({ row }) => row.version));
      expect(highest).toBeGreaterThan(previous);
      previous = highest;
      await store.close();
    }
  });

  it('refuses a data file that was cut short, and never touches what is missing', async () => {
    const dir = await temporaryDirectory();
    const store = await openLmdbStore(dir);
    for (let i = 0; i < 40; i++) {
      await store.commit([{ key: `row/${i}`, value: text(`${i}`.padEnd(i % 8 === 0 ? 9_000 : 200, '.')) }]);
    }
    await store.commit([{ key: 'big', value: new Uint8Array(40_000) }]);
    await store.commit([{ key: 'big', value: null }]);
    for (let i = 0; i < 8; i++) await store.commit([{ key: 'row/1', value: text(`${i}`) }]);
    const rows = await store.scan('');
    await store.close();
    const { size } = await stat(join(dir, 'data.mdb'));
    const outcomes = new Map<string, number>();
    for (let left = size - 1024; left >= 0; left -= 2048) {
      const copy = await temporaryDirectory();
      await cp(dir, copy, { recursive: true });
      await truncate(join(copy, 'data.mdb'), left);
      const outcome = await refusal(useCopy(copy, rows));
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      await rm(copy, { recursive: true });
    }
    // A file may rightly end before pages that are free.
    expect([...outcomes.keys()].toSorted()).toEqual(['STORE_CORRUPT', 'none']);
    expect(outcomes.get('STORE_CORRUPT')).toBeGreaterThan(15);
  });

  it('refuses a data file that is missing, or is something else', async () => {
    const dir = await temporaryDirectory();
    await (await openLmdbStore(dir)).close();
    await writeFile(join(dir, 'data.mdb'), 'x'.repeat(20_000));
    expect(await refusal(openLmdbStore(dir))).toBe('STORE_CORRUPT');
    await rm(join(dir, 'data.mdb'));
    expect(await refusal(openLmdbStore(dir))).toBe('STORE_CORRUPT');
  });

  it('refuses a store of another version, or data without a marker', async () => {
    const dir = await temporaryDirectory();
    const store = await openLmdbStore(dir);
    await store.commit([{ key: 'a', value: text('kept') }]);
    await store.close();
    expect(await readFile(join(dir, 'FORMAT'), 'utf8')).toBe('symmetra-store 1\n');
    for (const marker of ['symmetra-store 2\n', 'another-store 1\n', '']) {
      await writeFile(join(dir, 'FORMAT'), marker);
      expect(await refusal(openLmdbStore(dir))).toBe('STORE_VERSION');
    }
    await rm(join(dir, 'FORMAT'));
    expect(await refusal(openLmdbStore(dir))).toBe('STORE_VERSION');
    await writeFile(join(dir, 'FORMAT'), 'symmetra-store 1\n');
    const again = await openStore(lmdb, dir);
    expect(fromText((await again.get('a'))?.value)).toBe('kept');
  });

  it('goes on with a directory whose making was interrupted before the marker', async () => {
    const dir = await temporaryDirectory();
    await (await openLmdbStore(dir)).close();
    await rm(join(dir, 'FORMAT'));
    const store = await openStore(lmdb, dir);
    expect(await store.commit([{ key: 'a', value: text('x') }])).toBe(true);
    expect(await readdir(dir)).toContain('FORMAT');
  });

  it('keeps its files to its user', async () => {
    const dir = join(await temporaryDirectory(), 'made', 'for.it');
    const store = await openStore(lmdb, dir);
    await store.commit([{ key: 'a', value: text('x') }]);
    expect((await stat(dir)).mode & 0o777).toBe(0o700);
    const files = (await readdir(dir)).toSorted();
    expect(files).toEqual(['FORMAT', 'data.mdb', 'data.mdb-lock', 'store-owner']);
    for (const file of files) expect((await stat(join(dir, file))).mode & 0o777, file).toBe(0o600);
  });

  it('closes the files of a careless copy again', async () => {
    const dir = await temporaryDirectory();
    await (await openLmdbStore(dir)).close();
    await chmod(dir, 0o755);
    await chmod(join(dir, 'data.mdb'), 0o644);
    await openStore(lmdb, dir);
    expect((await stat(dir)).mode & 0o777).toBe(0o700);
    expect((await stat(join(dir, 'data.mdb'))).mode & 0o777).toBe(0o600);
  });

  it('is open once at a time', async () => {
    const dir = await temporaryDirectory();
    const store = await openLmdbStore(dir);
    expect(await refusal(openLmdbStore(dir))).toBe('STORE_BUSY');
    await store.close();
    await openStore(lmdb, dir);
  });

  it('says that it is full when the disk is, loses nothing, and goes on when there is room', async (test) => {
    const mount = join(await temporaryDirectory(), 'disk');
    await mkdir(mount);
    const script = 'mount -t tmpfs -o size=1m tmpfs "$0" && exec "$@"';
    const launcher = ['unshare', '--mount', '--map-root-user', 'sh', '-c', script, mount];
    const probe = startProgram(new URL('store-full-disk.ts', import.meta.url), [mount], launcher);
    const [output, errors] = await Promise.all([
      readAll(probe.stdout as NodeJS.ReadableStream),
      readAll(probe.stderr as NodeJS.ReadableStream),
      once(probe, 'close'),
    ]);
    test.skip(
      isSkipped(!/unshare|mount:|permitted/.test(errors) || output !== ''),
      'this machine allows no private mount',
    );
    const seen = JSON.parse(output) as Record<'outcomes' | 'atOnce' | 'again', string[]> & { kept: number };
    expect(seen).toMatchObject({ lostWhenFull: 0, afterRoom: 'ok', lostAfterReopening: 0 });
    expect(seen.outcomes.slice(0, -1).every((outcome) => outcome === 'ok')).toBe(true);
    expect(seen.outcomes.at(-1)).toBe('STORE_FULL');
    expect(seen.atOnce).toEqual(['STORE_FULL', 'STORE_FULL', 'STORE_FULL']);
    expect(new Set(seen.again)).toEqual(new Set(['STORE_FULL']));
    expect(seen.kept).toBeGreaterThan(5);
  });
});
