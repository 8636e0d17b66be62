import { setImmediate as nextTurn } from 'node:timers/promises';
import { SymmetraError } from '@symmetra/crypto';
import type { PageReader, TreePage } from './lmdb-pages.js';

const NO_PAGE = 0xffff_ffff_ffff_ffffn;
/** What LMDB's cursors go down at most. */
const MAX_DEPTH = 32;
const WORD_BYTES = 8;
/** Keys are of printable ASCII; the store's counter stands behind all of them. */
const FIRST_LETTER = 0x20;
const LAST_LETTER = 0x7f;
/** After so many pages others get a turn. */
const PAGES_PER_TURN = 1024;

/** What the head of a data file says of a tree. */
export interface TreeRecord {
  readonly flags: number;
  readonly depth: number;
  readonly root: bigint;
}

type Leaf = Extract<TreePage, { kind: 'leaf' }>;

/** Checks the tree of the rows: its keys are text, in order, so that none hides another. @throws STORE_CORRUPT */
export async function checkRows(pages: PageReader, record: TreeRecord): Promise<void> {
  await walk(pages, record, 2, ({ nodes }) => {
    let before: Buffer | undefined;
    for (const { key } of nodes) {
      const isText = key.length > 0 && key.every((byte) => byte >= FIRST_LETTER && byte <= LAST_LETTER);
      if (!isText || (before !== undefined && before.compare(key) >= 0)) throw damagedTree();
      before = key;
    }
  });
}

/** Checks the tree of the pages that are free, and what it lists: how many words follow, then pages and runs of them. */
export async function checkFreeList(pages: PageReader, record: TreeRecord): Promise<void> {
  await walk(pages, record, 1, ({ nodes }) => {
    for (const { position, length } of nodes) {
      const list = pages.bytes(position, length - (length % WORD_BYTES));
      const words = list.length / WORD_BYTES;
      const count = words === 0 ? 0n : list.readBigUInt64LE(0);
      if (words === 0 || count >= BigInt(words)) throw damagedTree();
      for (let i = 1; i <= Number(count); i++) {
        const word = list.readBigInt64LE(i * WORD_BYTES);
        if (word > pages.lastPage || -word > pages.lastPage) throw damagedTree();
      }
    }
  });
}

/** Reads every page of a tree, whose leaves all lie at its depth. */
async function walk(
  pages: PageReader,
  { root, depth }: TreeRecord,
  leastChildren: number,
  onLeaf: (leaf: Leaf) => void,
): Promise<void> {
  if (root === NO_PAGE) {
    if (depth !== 0) throw damagedTree();
    return;
  }
  if (depth < 1 || depth > MAX_DEPTH) throw damagedTree();
  const pending = [{ number: root, level: 1 }];
  let read = 0;
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { number, level } = next;
    const page = pages.read(number);
    if ((page.kind === 'leaf') !== (level === depth)) throw damagedTree();
    if (page.kind === 'leaf') onLeaf(page);
    else {
      if (page.children.length < leastChildren) throw damagedTree();
      for (const child of page.children) pending.push({ number: child, level: level + 1 });
    }
    read += 1;
    if (read % PAGES_PER_TURN === 0) await nextTurn();
  }
}

function damagedTree(): SymmetraError {
  return new SymmetraError('STORE_CORRUPT', 'a tree of the data file is damaged');
}
