import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLmdbStore } from '@symmetra/storage';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const PAGE = 4096;
const ROWS = 40;

/** Where the newest of the two heads says something, by its offset in the head's page. */
const HEAD = { mapSize: 40, freeListFlags: 52, rowFlags: 100, rowDepth: 102, rowRoot: 136, lastPage: 144 };
/** The same in a page of a tree. */
const TREE = { flags: 18, lower: 20, upper: 22, firstOffset: 24 };

/** Offsets that were found by fuzzing, or lie beside them; LMDB died of most of them by SIGSEGV or SIGABRT. */
describe('a data file of which LMDB would die', () => {
  let folder: string;
  let whole: Buffer;
  let head: number;
  let root: number;
  let cases = 0;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'symmetra-data-file-'));
    const store = await openLmdbStore(join(folder, 'whole'));
    for (let i = 0; i < ROWS; i++) {
      await store.commit([{ key: `row/${i}`, value: new Uint8Array(i === 7 ? 9000 : 600).fill(i) }]);
    }
    await store.close();
    whole = await readFile(join(folder, 'whole', 'data.mdb'));
    head = whole.readBigUInt64LE(152) > whole.readBigUInt64LE(PAGE + 152) ? 0 : PAGE;
    root = PAGE * Number(whole.readBigUInt64LE(head + HEAD.rowRoot));
  });

  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  /** Opens a copy of the store with other bytes at a place, and reads all of it. */
  const outcome = async (at: number, bytes: readonly number[]): Promise<string> => {
    const dir = join(folder, `case-${++cases}`);
    await cp(join(folder, 'whole'), dir, { recursive: true });
    const file = Buffer.from(whole);
    file.set(bytes, at);
    await writeFile(join(dir, 'data.mdb'), file);
    try {
      const store = await openLmdbStore(dir);
      try {
        return `${(await store.scan('')).length} rows`;
      } finally {
        await store.close();
      }
    } catch (error) {
      return (error as { readonly code: string }).code;
    }
  };

  /** The first leaf below the root. */
  const leaf = (): number => {
    const child = root + 24 + whole.readUInt16LE(root + TREE.firstOffset);
    return PAGE * whole.readUIntLE(child, 6);
  };

  test('opens as long as it is whole', async () => {
    expect(await outcome(0, [])).toBe(`${ROWS} rows`);
  });

  test.each<{ name: string; at: () => number; bytes: readonly number[] }>([
    { name: 'a last page beyond the map', at: () => head + HEAD.lastPage + 3, bytes: [0xff] },
    { name: 'a last page before those in use', at: () => head + HEAD.lastPage, bytes: [1, 0] },
    { name: 'a map that is larger than any', at: () => head + HEAD.mapSize + 7, bytes: [0x7f] },
    { name: 'a head for a root', at: () => head + HEAD.rowRoot, bytes: [0] },
    { name: 'a depth of none', at: () => head + HEAD.rowDepth, bytes: [0] },
    { name: 'a depth that is not that of the tree', at: () => head + HEAD.rowDepth, bytes: [9] },
    { name: 'rows of another kind', at: () => head + HEAD.rowFlags, bytes: [4] },
    { name: 'a free list of another kind', at: () => head + HEAD.freeListFlags, bytes: [0] },
    { name: 'a branch that calls itself a leaf', at: () => root + TREE.flags, bytes: [2] },
    { name: 'a page of both kinds', at: () => root + TREE.flags, bytes: [3] },
    { name: 'a branch with one child', at: () => root + TREE.lower, bytes: [2, 0] },
    { name: 'an empty branch', at: () => root + TREE.lower, bytes: [0, 0] },
    { name: 'more offsets than room', at: () => leaf() + TREE.lower, bytes: [0xfe, 0xff] },
    { name: 'free room beyond the page', at: () => leaf() + TREE.upper, bytes: [0xff, 0xff] },
    { name: 'a node beyond its page', at: () => leaf() + TREE.firstOffset, bytes: [0xf0, 0x0f] },
    { name: 'a node among the offsets', at: () => leaf() + TREE.firstOffset, bytes: [0, 0] },
  ])('is refused: $name', async ({ at, bytes }) => {
    expect(await outcome(at(), bytes)).toBe('STORE_CORRUPT');
  });

  test('is refused when a key is read as something else than text', async () => {
    const third = leaf() + 24 + whole.readUInt16LE(leaf() + TREE.firstOffset + 4);
    const symbol = 2;
    expect(await outcome(third + 8, [symbol])).toBe('STORE_CORRUPT');
  });
});
