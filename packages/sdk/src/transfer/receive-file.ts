import { createHash, randomUUID } from 'node:crypto';
import { link, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { SymmetraError } from '@symmetra/crypto';
import { codeOf } from '../failure.js';
import { MAX_HEADER_BYTES, badHeader, parseHeader } from './file-header.js';
import type { FileAnswer, FileHeader } from './file-header.js';

const LENGTH_BYTES = 4;

/** A file that has arrived whole. */
export interface ReceivedFile extends FileHeader {
  readonly path: string;
}

/**
 * Receives one file from a channel into a directory, under its own name, and tells the peer. A file that is there
 * already is never overwritten; what does not arrive whole leaves nothing behind.
 *
 * @param directory undefined to refuse.
 * @throws FILES_REFUSED, FILE_EXISTS, FILE_CHANGED, BAD_FILE_HEADER, CHANNEL_CLOSED, and what writing throws
 */
export async function receiveFile(channel: Duplex, directory: string | undefined): Promise<ReceivedFile> {
  try {
    const received = await receive(channel, directory);
    await answer(channel, { ok: true, sha256: received.sha256 });
    return received;
  } catch (error) {
    if (!channel.destroyed) {
      await answer(channel, { ok: false, sha256: '', code: codeOf(error) }).catch(() => undefined);
    }
    throw error;
  } finally {
    // What the peer still sends is not needed; the channel ends when it has our answer.
    channel.resume();
  }
}

async function receive(channel: Duplex, directory: string | undefined): Promise<ReceivedFile> {
  const chunks = channel.iterator({ destroyOnReturn: false }) as AsyncIterableIterator<Buffer>;
  const { header, rest } = await readHeader(chunks);
  if (directory === undefined) throw new SymmetraError('FILES_REFUSED', 'this device takes no files');
  const temporary = join(directory, `.${randomUUID()}.part`);
  const path = join(directory, header.name);
  try {
    await store(temporary, header, rest, chunks);
    await place(temporary, path);
    return { ...header, path };
  } finally {
    await rm(temporary, { force: true });
  }
}

async function readHeader(
  chunks: AsyncIterator<Buffer>,
): Promise<{ readonly header: FileHeader; readonly rest: Buffer }> {
  let bytes = Buffer.alloc(0);
  for (;;) {
    if (bytes.length >= LENGTH_BYTES) {
      const length = bytes.readUInt32BE(0);
      if (length > MAX_HEADER_BYTES) throw badHeader();
      const end = LENGTH_BYTES + length;
      if (bytes.length >= end) {
        return { header: parseHeader(bytes.toString('utf8', LENGTH_BYTES, end)), rest: bytes.subarray(end) };
      }
    }
    const next = await chunks.next();
    if (next.done === true) throw badHeader();
    bytes = Buffer.concat([bytes, next.value]);
  }
}

async function store(
  path: string,
  header: FileHeader,
  first: Buffer,
  chunks: AsyncIterator<Buffer>,
): Promise<void> {
  const hash = createHash('sha256');
  const file = await open(path, 'wx', 0o600);
  try {
    let size = 0;
    for (let chunk: Buffer | undefined = first; chunk !== undefined;) {
      size += chunk.length;
      if (size > header.size) break;
      hash.update(chunk);
      await file.write(chunk);
      if (size === header.size) break;
      const next: IteratorResult<Buffer, unknown> = await chunks.next();
      chunk = next.done === true ? undefined : next.value;
    }
    await file.sync();
    if (size !== header.size || hash.digest('hex') !== header.sha256) {
      throw new SymmetraError('FILE_CHANGED', 'the file did not arrive as it was sent');
    }
  } finally {
    await file.close();
  }
}

/** Gives the file its name, if that is free. */
async function place(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    throw new SymmetraError('FILE_EXISTS', 'a file of this name is there already', { path });
  }
}

async function answer(channel: Duplex, message: FileAnswer): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    channel.once('error', reject);
    channel.end(`${JSON.stringify(message)}\n`, () => resolve());
  });
}
