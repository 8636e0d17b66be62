import { readSync } from 'node:fs';
import { SymmetraError } from '@symmetra/crypto';

/*
 * A page of LMDB's data file:
 *
 *   page    pgno u64, txnid u64, pad u16, flags u16, lower u16, upper u16; offsets of nodes u16 each; nodes
 *   node    low u16, high u16, flags u16, key size u16, key, data
 *
 * Lower and upper, the ends of the free room between offsets and nodes, and the offsets themselves count from behind
 * the header. In a leaf, low and high are the size of the data, in a branch they and the flags are the child's page. A
 * leaf's node whose data has pages of its own holds their extent: first page u64, txnid u64, count u64.
 */
export const PAGE_HEADER = 24;
const NODE_HEADER = 8;
const EXTENT_BYTES = 24;
const BRANCH = 0x01;
const LEAF = 0x02;
/** The node's data has pages of its own. */
const NODE_OVERFLOW = 0x01;
const FIRST_PAGE = 2n;

/** A node of a leaf, its data where it stands. */
interface LeafNode {
  readonly key: Buffer;
  /** In the data file. */
  readonly position: number;
  readonly length: number;
}

/** A page of a tree, every part of it within its bounds. */
export type TreePage =
  | { readonly kind: 'branch'; readonly children: readonly bigint[] }
  | { readonly kind: 'leaf'; readonly nodes: readonly LeafNode[] };

/** Reads the pages of a data file, each at most once. Reads are synchronous: a page takes microseconds. */
export class PageReader {
  readonly lastPage: bigint;
  readonly #fd: number;
  readonly #pageSize: number;
  readonly #pagesInFile: bigint;
  readonly #seen = new Set<bigint>();

  constructor(fd: number, pageSize: number, size: number, lastPage: bigint) {
    this.#fd = fd;
    this.#pageSize = pageSize;
    this.#pagesInFile = BigInt(Math.floor(size / pageSize));
    this.lastPage = lastPage;
  }

  /** @throws STORE_CORRUPT */
  read(number: bigint): TreePage {
    this.#checkExtent(number, 1n);
    if (this.#seen.has(number)) throw corrupt('the data file refers to one page twice');
    this.#seen.add(number);
    const start = Number(number) * this.#pageSize;
    const page = this.bytes(start, this.#pageSize);
    const flags = page.readUInt16LE(18);
    if (page.readBigUInt64LE(0) !== number || (flags !== BRANCH && flags !== LEAF)) throw damagedPage();
    const offsets = this.#offsetsIn(page);
    return flags === BRANCH
      ? { kind: 'branch', children: offsets.map((at) => this.#childAt(page, at)) }
      : { kind: 'leaf', nodes: offsets.map((at) => this.#nodeAt(page, at, start)) };
  }

  /** Bytes of the file. @throws STORE_CORRUPT */
  bytes(position: number, length: number): Buffer {
    const bytes = Buffer.alloc(length);
    if (readSync(this.#fd, bytes, 0, length, position) < length) throw truncated();
    return bytes;
  }

  /** Where the nodes of a page begin. */
  #offsetsIn(page: Buffer): readonly number[] {
    const lower = page.readUInt16LE(20);
    const upper = page.readUInt16LE(22);
    if (lower === 0 || lower % 2 !== 0 || lower > upper || PAGE_HEADER + upper > page.length) {
      throw damagedPage();
    }
    return Array.from({ length: lower / 2 }, (_, i) => {
      const offset = page.readUInt16LE(PAGE_HEADER + 2 * i);
      const at = PAGE_HEADER + offset;
      if (offset < upper || at + NODE_HEADER > page.length) throw damagedPage();
      if (this.#dataOf(page, at) > page.length) throw damagedPage();
      return at;
    });
  }

  #dataOf(page: Buffer, at: number): number {
    return at + NODE_HEADER + page.readUInt16LE(at + 6);
  }

  /** 48 bits over the fields that hold size and flags in a leaf. */
  #childAt(page: Buffer, at: number): bigint {
    return BigInt(page.readUIntLE(at, 6));
  }

  #nodeAt(page: Buffer, at: number, start: number): LeafNode {
    const length = page.readUInt16LE(at) + page.readUInt16LE(at + 2) * 2 ** 16;
    const flags = page.readUInt16LE(at + 4);
    const data = this.#dataOf(page, at);
    const key = page.subarray(at + NODE_HEADER, data);
    if (flags === 0 && data + length <= page.length) return { key, position: start + data, length };
    if (flags !== NODE_OVERFLOW || data + EXTENT_BYTES > page.length) throw damagedPage();
    const first = page.readBigUInt64LE(data);
    const count = page.readBigUInt64LE(data + 16);
    this.#checkExtent(first, count);
    if (PAGE_HEADER + length > Number(count) * this.#pageSize) throw damagedPage();
    return { key, position: Number(first) * this.#pageSize + PAGE_HEADER, length };
  }

  #checkExtent(first: bigint, count: bigint): void {
    if (first < FIRST_PAGE || first + count > this.lastPage + 1n) throw damagedPage();
    if (first + count > this.#pagesInFile) throw truncated();
  }
}

function truncated(): SymmetraError {
  return corrupt('the data file is truncated');
}

function damagedPage(): SymmetraError {
  return corrupt('a page of the data file is damaged');
}

function corrupt(message: string): SymmetraError {
  return new SymmetraError('STORE_CORRUPT', message);
}
