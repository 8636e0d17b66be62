import { lstat, unlink } from 'node:fs/promises';
import { SymmetraError } from '@symmetra/crypto';
import { makeFifo } from '@symmetra/hardware';
import { pause, unlessAborted } from '../source/clock.js';
import type { SourceClock } from '../source/clock.js';
import type { DrawRandom } from './draw-random.js';
import { FifoWriter } from './fifo-writer.js';

/** Bytes drawn at a time. */
const CHUNK_BYTES = 4096;
/** Milliseconds until it is looked again whether a reader is there. */
const READER_PAUSE_MS = 100;
/** Milliseconds until random bytes are asked for again after there were none. */
const SKIP_PAUSE_MS = 1000;
const WRITABLE_BY_OTHERS = 0o022;

/** How a FIFO is fed. */
export interface FifoFeedOptions {
  readonly path: string;
  readonly draw: DrawRandom;
  readonly clock: SourceClock;
  /** Ends the feed, which is then fulfilled. */
  readonly signal: AbortSignal;
  /** The FIFO is there and waits for readers. */
  readonly onReady: (made: boolean) => void;
  readonly onReader: () => void;
  /** The reader left. @param bytes that it was given; the last of them it may not have read. */
  readonly onReaderGone: (bytes: number) => void;
  /** No random bytes could be drawn; they are asked for again. */
  readonly onSkipped: (error: unknown) => void;
}

/**
 * Writes random bytes into a FIFO as fast as its reader takes them, one reader after the other. It makes the FIFO, for
 * this user only, unless it is there, and then removes it at the end.
 * @throws HARDWARE_UNAVAILABLE, FIFO_FAILED, FIFO_UNSUITABLE when something else stands at the path or others may
 *   write to it.
 */
export async function feedFifo(options: FifoFeedOptions): Promise<void> {
  const { path, signal, clock } = options;
  const made = await makeFifo(path);
  const inode = await suitableInode(path);
  try {
    options.onReady(made);
    while (!signal.aborted) {
      const writer = await FifoWriter.open(path, inode);
      if (writer === undefined) await pause(clock, READER_PAUSE_MS, signal).catch(() => undefined);
      else await serve(writer, options);
    }
  } finally {
    if (made) await removeOwn(path, inode);
  }
}

/** Feeds one reader until it leaves or the feed ends. */
async function serve(writer: FifoWriter, options: FifoFeedOptions): Promise<void> {
  const { signal } = options;
  options.onReader();
  let given = 0;
  try {
    while (!signal.aborted) {
      const bytes = await drawn(options);
      if (bytes === undefined) continue;
      const taken = await unlessAborted(writer.write(bytes), signal).catch(() => false);
      if (!taken) break;
      given += bytes.length;
    }
  } finally {
    await writer.close();
  }
  if (!signal.aborted) options.onReaderGone(given);
}

async function drawn({ draw, clock, signal, onSkipped }: FifoFeedOptions): Promise<Uint8Array | undefined> {
  try {
    return await unlessAborted(draw(CHUNK_BYTES), signal);
  } catch (error) {
    if (signal.aborted) return undefined;
    onSkipped(error);
    await pause(clock, SKIP_PAUSE_MS, signal).catch(() => undefined);
    return undefined;
  }
}

async function suitableInode(path: string): Promise<number> {
  const stats = await lstat(path);
  if (!stats.isFIFO()) throw unsuitable(path, 'is no FIFO');
  if ((stats.mode & WRITABLE_BY_OTHERS) !== 0) throw unsuitable(path, 'may be written by others');
  return stats.ino;
}

async function removeOwn(path: string, inode: number): Promise<void> {
  const stats = await lstat(path).catch(() => undefined);
  if (stats?.isFIFO() === true && stats.ino === inode) await unlink(path).catch(() => undefined);
}

function unsuitable(path: string, fault: string): SymmetraError {
  return new SymmetraError('FIFO_UNSUITABLE', `${path} ${fault}`);
}
