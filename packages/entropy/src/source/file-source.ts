import { close, constants, fstat, open, read } from 'node:fs';
import type { Stats } from 'node:fs';
import { Socket } from 'node:net';
import { promisify } from 'node:util';
import { ByteNoise } from './byte-noise.js';
import type { ByteFeed } from './byte-noise.js';
import { pause, unlessAborted } from './clock.js';
import type { SourceClock } from './clock.js';
import type { NoiseSource, SourceDescription } from './noise-source.js';
import { fillFrom, shortRead, systemCode, unreachable } from './readable.js';

/** No device may hang the opening, and none becomes the terminal of this process. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
/** A system call asks for no more than that. */
const MAX_CALL_BYTES = 65_536;
/** How long a device that has nothing yet is left alone. */
const EMPTY_PAUSE_MS = 10;

const openFile = promisify(open);
const statFile = promisify(fstat);
const readFile = promisify(read);
const closeFile = promisify(close);

/** How a {@link FileSource} is opened. */
export interface FileSourceOptions {
  readonly description: SourceDescription;
  readonly path: string;
  readonly clock: SourceClock;
  /** Milliseconds within which a read must be answered. */
  readonly timeoutMs: number;
}

/**
 * A character device, a regular file or a FIFO, a byte a sample. It is opened at the first read, and a device or a FIFO
 * again after each error; a FIFO without a writer, and a device without data, are silent. A regular file is read once
 * from its beginning to its end and never starts over: at its end it says SOURCE_SHORT_READ, until it grows.
 */
export function fileSource({ description, path, clock, timeoutMs }: FileSourceOptions): NoiseSource {
  return new ByteNoise({ description, feed: new FileFeed(description.name, path, clock), clock, timeoutMs });
}

interface Opened {
  /** Returns how many bytes came before the end. */
  readInto(target: Uint8Array, signal: AbortSignal): Promise<number>;
  /** Whether it is kept after an error: a regular file for its place, a device for the thread that is still in it. */
  readonly kept: boolean;
  close(): void;
}

class FileFeed implements ByteFeed {
  readonly #name: string;
  readonly #path: string;
  readonly #clock: SourceClock;
  #opened: Opened | undefined;
  #closed = false;

  constructor(name: string, path: string, clock: SourceClock) {
    this.#name = name;
    this.#path = path;
    this.#clock = clock;
  }

  async readInto(target: Uint8Array, signal: AbortSignal): Promise<void> {
    this.#opened ??= await this.#open(signal);
    let got: number;
    try {
      got = await this.#opened.readInto(target, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw unreachable(this.#name, 'the device or file can not be read', error);
    }
    if (got < target.length) throw shortRead(this.#name, got, target.length);
  }

  reset(): void {
    if (this.#opened?.kept === true && !this.#closed) return;
    this.#opened?.close();
    this.#opened = undefined;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.reset();
  }

  async #open(signal: AbortSignal): Promise<Opened> {
    const opening = openFile(this.#path, OPEN_FLAGS);
    let fd: number;
    try {
      fd = await unlessAborted(opening, signal);
    } catch (error) {
      if (signal.aborted) opening.then(closeQuietly, () => undefined);
      signal.throwIfAborted();
      throw unreachable(this.#name, 'the device or file can not be opened', error);
    }
    const opened = openedAs(fd, await statFile(fd), this.#clock);
    if (opened !== undefined) return opened;
    closeQuietly(fd);
    throw unreachable(this.#name, 'the path is neither a file nor a character device nor a FIFO', undefined);
  }
}

function openedAs(fd: number, stats: Stats, clock: SourceClock): Opened | undefined {
  if (stats.isFile()) return new CalledFile(fd, clock, 0);
  if (stats.isCharacterDevice()) return new CalledFile(fd, clock, undefined);
  if (stats.isFIFO()) return new Fifo(fd);
  return undefined;
}

/** A regular file or a device, read by calls in a thread of Node's pool: not all devices can be polled. */
class CalledFile implements Opened {
  readonly #fd: number;
  readonly #clock: SourceClock;
  #position: number | undefined;
  #call: Promise<unknown> | undefined;
  #closed = false;

  /** @param position where a regular file is read from; undefined for a device. */
  constructor(fd: number, clock: SourceClock, position: number | undefined) {
    this.#fd = fd;
    this.#clock = clock;
    this.#position = position;
  }

  get kept(): boolean {
    return this.#position !== undefined || this.#call !== undefined;
  }

  async readInto(target: Uint8Array, signal: AbortSignal): Promise<number> {
    let filled = 0;
    while (filled < target.length) {
      const got = await this.#read(target.subarray(filled, filled + MAX_CALL_BYTES), signal);
      if (got === 0) break;
      if (got === undefined) await pause(this.#clock, EMPTY_PAUSE_MS, signal);
      else filled += got;
    }
    return filled;
  }

  /** The file is closed when no call is in it any more: its number may be another file's at once. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const shut = (): void => closeQuietly(this.#fd);
    if (this.#call === undefined) shut();
    else this.#call.then(shut, shut);
  }

  /** How many bytes were read; undefined when the device has none yet. */
  async #read(target: Uint8Array, signal: AbortSignal): Promise<number | undefined> {
    // A driver that does not keep to O_NONBLOCK may hold a call for ever: never more than one thread.
    if (this.#call !== undefined) await unlessAborted(this.#call, signal);
    signal.throwIfAborted();
    const call = readFile(this.#fd, target, 0, target.length, this.#position ?? null);
    this.#call = call.catch(() => undefined);
    try {
      const { bytesRead } = await unlessAborted(call, signal);
      this.#call = undefined;
      if (this.#position !== undefined) this.#position += bytesRead;
      return bytesRead;
    } catch (error) {
      if (signal.aborted) throw error;
      this.#call = undefined;
      if (systemCode(error) === 'EAGAIN') return undefined;
      throw error;
    }
  }
}

/** A FIFO, polled by the event loop. Opened before its writer it waits for one. */
class Fifo implements Opened {
  readonly kept = false;
  readonly #socket: Socket;

  constructor(fd: number) {
    this.#socket = new Socket({ fd, readable: true, writable: false });
    // Who reads is told by the stream itself; without a reader the failure waits for the next read.
    this.#socket.on('error', () => undefined);
  }

  async readInto(target: Uint8Array, signal: AbortSignal): Promise<number> {
    return fillFrom(this.#socket, target, signal);
  }

  close(): void {
    this.#socket.destroy();
  }
}

function closeQuietly(fd: number): void {
  closeFile(fd).catch(() => undefined);
}
