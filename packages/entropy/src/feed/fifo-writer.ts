import { close as closeFile, constants, fstat, open as openFile } from 'node:fs';
import { Socket } from 'node:net';
import { promisify } from 'node:util';
import { SymmetraError, wipe } from '@symmetra/crypto';

const openDescriptor = promisify(openFile);
const statDescriptor = promisify(fstat);
const closeDescriptor = promisify(closeFile);

/** Opening never waits for a reader, and follows no link. */
const FLAGS = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;

/** The writing end of a FIFO that has a reader, polled by the event loop. */
export class FifoWriter {
  readonly #socket: Socket;
  readonly #closed: Promise<void>;

  private constructor(fd: number) {
    this.#socket = new Socket({ fd, readable: false, writable: true });
    this.#closed = new Promise((resolve) => {
      this.#socket.once('close', () => resolve());
    });
    // Each write is told of its own failure.
    this.#socket.on('error', () => undefined);
  }

  /**
   * @param inode of the FIFO that is meant.
   * @returns undefined while it has no reader.
   * @throws FIFO_UNSUITABLE when another file stands at the path by now; what the system says.
   */
  static async open(path: string, inode: number): Promise<FifoWriter | undefined> {
    let fd: number;
    try {
      fd = await openDescriptor(path, FLAGS);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENXIO') return undefined;
      throw error;
    }
    const stats = await statDescriptor(fd);
    if (stats.isFIFO() && stats.ino === inode) return new FifoWriter(fd);
    await closeDescriptor(fd);
    throw new SymmetraError('FIFO_UNSUITABLE', `${path} was replaced by another file`);
  }

  /**
   * Waits until the FIFO has taken all bytes, and wipes them.
   * @returns false when the reader left before.
   */
  async write(bytes: Uint8Array): Promise<boolean> {
    const taken = await new Promise<boolean>((resolve) => {
      this.#socket.write(bytes, (error) => resolve(error === undefined || error === null));
    });
    wipe(bytes);
    return taken;
  }

  /** Ends a write under way, too. Never rejected. */
  async close(): Promise<void> {
    this.#socket.destroy();
    await this.#closed;
  }
}
