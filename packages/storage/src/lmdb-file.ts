import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { SymmetraError } from '@symmetra/crypto';
import { checkFreeList, checkRows } from './lmdb-tree.js';
import type { TreeRecord } from './lmdb-tree.js';
import { PAGE_HEADER, PageReader } from './lmdb-pages.js';

/*
 * The head of LMDB's data file (format 2 of the lmdb package, 64-bit, little-endian). LMDB maps the file into memory
 * and trusts what it finds there: a page that a truncation cut off, or an offset that leads out of a page, would kill
 * the process instead of raising an error.
 *
 *   meta    behind the header of pages 0 and 1: magic u32, version u32, address u64, map size u64,
 *           record of the free list, record of the rows, last page u64, txnid u64
 *   record  pad u32 (the page size, in the first one), flags u16, depth u16, 4 counters u64, root u64
 */
const META_MAGIC = 0xbeefc0de;
const META_VERSION = 2;
const META_BYTES = PAGE_HEADER + 136;
const RECORDS = 48;
const RECORD_BYTES = 48;
const LAST_PAGE = RECORDS + 2 * RECORD_BYTES;
const PAGE_META = 0x08;
/** The free list is ordered by integers; the other flag stands for a file without a folder of its own. */
const FREE_LIST_FLAGS = 0x08;
const NO_FOLDER = 0x4000;
/** Beyond it no process can map a file. */
const MAX_MAP_BYTES = 2n ** 47n;

interface Meta {
  readonly pageSize: number;
  readonly mapBytes: bigint;
  readonly freeList: TreeRecord;
  readonly rows: TreeRecord;
  readonly lastPage: bigint;
  readonly transaction: bigint;
}

/**
 * Checks, before LMDB maps a data file, that its newest transaction has all of its pages and that each of them holds
 * together. What stands in the rows is not looked at.
 * @throws STORE_CORRUPT
 */
export async function checkDataFile(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const meta = await readNewestMeta(file, size);
    const pages = new PageReader(file.fd, meta.pageSize, size, meta.lastPage);
    await checkRows(pages, meta.rows);
    await checkFreeList(pages, meta.freeList);
  } finally {
    await file.close();
  }
}

async function readNewestMeta(file: FileHandle, size: number): Promise<Meta> {
  const first = readMeta(await readHead(file, 0), 0n);
  if (size < 2 * first.pageSize) throw corrupt('the data file ends before its second page');
  const second = readMeta(await readHead(file, first.pageSize), 1n);
  const newest = second.transaction > first.transaction ? second : first;
  const { pageSize, mapBytes, lastPage, freeList, rows } = newest;
  const fits = (lastPage + 1n) * BigInt(pageSize) <= mapBytes && mapBytes <= MAX_MAP_BYTES;
  const known = (freeList.flags & ~NO_FOLDER) === FREE_LIST_FLAGS && rows.flags === 0;
  if (!fits || !known || pageSize !== first.pageSize) throw damagedHead();
  return newest;
}

function readMeta(bytes: Buffer, page: bigint): Meta {
  const isMeta = bytes.readBigUInt64LE(0) === page && (bytes.readUInt16LE(18) & PAGE_META) !== 0;
  const known = bytes.readUInt32LE(24) === META_MAGIC && bytes.readUInt32LE(28) === META_VERSION;
  const pageSize = bytes.readUInt32LE(RECORDS);
  const plausible = pageSize >= 512 && pageSize <= 65_536 && (pageSize & (pageSize - 1)) === 0;
  if (!isMeta || !known || !plausible) throw damagedHead();
  return {
    pageSize,
    mapBytes: bytes.readBigUInt64LE(40),
    freeList: readRecord(bytes, RECORDS),
    rows: readRecord(bytes, RECORDS + RECORD_BYTES),
    lastPage: bytes.readBigUInt64LE(LAST_PAGE),
    transaction: bytes.readBigUInt64LE(LAST_PAGE + 8),
  };
}

function readRecord(bytes: Buffer, at: number): TreeRecord {
  return {
    flags: bytes.readUInt16LE(at + 4),
    depth: bytes.readUInt16LE(at + 6),
    root: bytes.readBigUInt64LE(at + 40),
  };
}

async function readHead(file: FileHandle, position: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(META_BYTES), 0, META_BYTES, position);
  if (bytesRead < META_BYTES) throw corrupt('the data file is truncated');
  return buffer;
}

function damagedHead(): SymmetraError {
  return corrupt('the head of the data file is damaged');
}

function corrupt(message: string): SymmetraError {
  return new SymmetraError('STORE_CORRUPT', message);
}
