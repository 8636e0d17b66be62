import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { SymmetraError } from '@symmetra/crypto';

/*
 * The parts of LMDB's data file (format 2 of the lmdb package, 64-bit, little-endian) that tell
 * whether all of it is there. LMDB maps the file into memory: touching a page that a truncation cut
 * off would kill the process with SIGBUS instead of raising an error.
 *
 *   page    pgno u64, txnid u64, pad u16, flags u16, lower u16, upper u16 | overflow pages u32
 *   meta    behind the header of pages 0 and 1: magic u32, version u32, address u64, map size u64,
 *           record of the free list, record of the rows, last page u64, txnid u64
 *   record  pad u32 (the page size, in the first one), flags u16, depth u16, 4 counters, root u64
 *   node    low u16, high u16, flags u16, key size u16, key, data
 */
const PAGE_HEADER = 24;
const META_MAGIC = 0xbeefc0de;
const META_VERSION = 2;
const META_BYTES = PAGE_HEADER + 136;
const RECORD_BYTES = 48;
const RECORD_ROOT = 40;
const NODE_HEADER = 8;
const PAGE_BRANCH = 0x01;
const PAGE_LEAF = 0x02;
const PAGE_META = 0x08;
const NODE_OVERFLOW = 0x01;
const NO_PAGE = 0xffff_ffff_ffff_ffffn;

interface Meta {
  readonly pageSize: number;
  readonly roots: readonly bigint[];
  readonly lastPage: bigint;
  readonly transaction: bigint;
}

/**
 * Checks that a data file has every page that its newest transaction uses. The file may rightly be
 * shorter than its page count when the last pages are free; then the trees are walked.
 * @throws STORE_CORRUPT
 */
export async function checkDataFile(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const meta = await readNewestMeta(file, size);
    if ((meta.lastPage + 1n) * BigInt(meta.pageSize) <= BigInt(size)) return;
    const pages = new PageReader(file, meta.pageSize, size);
    for (const root of meta.roots) await walk(pages, root);
  } finally {
    await file.close();
  }
}

async function readNewestMeta(file: FileHandle, size: number): Promise<Meta> {
  const first = readMeta(await readBytes(file, 0, META_BYTES), 0n);
  if (size < 2 * first.pageSize) throw corrupt('the data file ends before its second page');
  const second = readMeta(await readBytes(file, first.pageSize, META_BYTES), 1n);
  return second.transaction > first.transaction ? second : first;
}

function readMeta(bytes: Buffer, page: bigint): Meta {
  const isMeta = bytes.readBigUInt64LE(0) === page && (bytes.readUInt16LE(18) & PAGE_META) !== 0;
  const known = bytes.readUInt32LE(24) === META_MAGIC && bytes.readUInt32LE(28) === META_VERSION;
  const pageSize = bytes.readUInt32LE(48);
  const plausible = pageSize >= 512 && pageSize <= 65_536 && (pageSize & (pageSize - 1)) === 0;
  if (!isMeta || !known || !plausible) throw corrupt('the head of the data file is damaged');
  return {
    pageSize,
    roots: [0, 1].map((record) => bytes.readBigUInt64LE(48 + record * RECORD_BYTES + RECORD_ROOT)),
    lastPage: bytes.readBigUInt64LE(48 + 2 * RECORD_BYTES),
    transaction: bytes.readBigUInt64LE(48 + 2 * RECORD_BYTES + 8),
  };
}

/** Reads every page of the tree under `root`, and asks for the extent of every overflow chain. */
async function walk(pages: PageReader, root: bigint): Promise<void> {
  const pending = root === NO_PAGE ? [] : [root];
  for (let number = pending.pop(); number !== undefined; number = pending.pop()) {
    const page = await pages.read(number);
    const flags = page.readUInt16LE(18);
    const nodes = page.readUInt16LE(20) >> 1;
    for (let i = 0; i < nodes; i++) {
      const at = PAGE_HEADER + page.readUInt16LE(PAGE_HEADER + 2 * i);
      if (flags & PAGE_BRANCH) pending.push(childOf(page, at));
      else if (page.readUInt16LE(at + 4) & NODE_OVERFLOW) {
        const extent = at + NODE_HEADER + page.readUInt16LE(at + 6);
        pages.checkExtent(page.readBigUInt64LE(extent), page.readBigUInt64LE(extent + 16));
      }
    }
  }
}

/** 48 bits over the fields that hold size and flags in a leaf. */
function childOf(page: Buffer, node: number): bigint {
  return BigInt(page.readUIntLE(node, 6));
}

class PageReader {
  readonly #file: FileHandle;
  readonly #pageSize: number;
  readonly #pages: bigint;
  readonly #seen = new Set<bigint>();

  constructor(file: FileHandle, pageSize: number, size: number) {
    this.#file = file;
    this.#pageSize = pageSize;
    this.#pages = BigInt(Math.floor(size / pageSize));
  }

  /** A branch or leaf page. @throws STORE_CORRUPT */
  async read(number: bigint): Promise<Buffer> {
    this.checkExtent(number, 1n);
    if (this.#seen.has(number)) throw corrupt('the data file refers to one page twice');
    this.#seen.add(number);
    const page = await readBytes(this.#file, Number(number) * this.#pageSize, this.#pageSize);
    const flags = page.readUInt16LE(18);
    if (page.readBigUInt64LE(0) !== number || (flags & (PAGE_BRANCH | PAGE_LEAF)) === 0) {
      throw corrupt('a page of the data file is damaged');
    }
    return page;
  }

  /** @throws STORE_CORRUPT */
  checkExtent(number: bigint, count: bigint): void {
    if (number + count > this.#pages) throw corrupt('the data file is truncated');
  }
}

async function readBytes(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  if (bytesRead < length) throw corrupt('the data file is truncated');
  return buffer;
}

function corrupt(message: string): SymmetraError {
  return new SymmetraError('STORE_CORRUPT', message);
}
