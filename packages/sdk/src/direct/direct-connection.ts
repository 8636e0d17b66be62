import type { Socket } from 'node:net';
import { FrameReader, OPENING, encodeFrame } from './frames.js';
import type { DirectFrame } from './frames.js';

const IDLE_MS = 120_000;
const MAX_WAITING_BYTES = 1024 * 1024;

/** What a connection tells. */
export interface DirectListener {
  frame(frame: DirectFrame, from: DirectConnection): void;
  closed(from: DirectConnection): void;
}

/** CHN-4: one TCP connection of the direct path, at either end. */
export class DirectConnection {
  readonly #socket: Socket;

  /** @param dialled whether this side connected, and so begins with the opening and with HELLO */
  constructor(socket: Socket, dialled: boolean, listener: DirectListener) {
    this.#socket = socket;
    const reader = new FrameReader(!dialled);
    let greeted = dialled;
    socket.setNoDelay(true);
    socket.setTimeout(IDLE_MS, () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      try {
        for (const frame of reader.push(chunk)) {
          greeted ||= frame.kind === 'hello';
          if (greeted) listener.frame(frame, this);
          else socket.destroy();
        }
      } catch {
        // Whoever sends no frames has nothing to say here; no state changes.
        socket.destroy();
      }
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => listener.closed(this));
    if (dialled) socket.write(OPENING);
  }

  /** False when the connection is gone, or its peer does not read. */
  send(frame: DirectFrame): boolean {
    if (!this.#socket.writable || this.#socket.writableLength > MAX_WAITING_BYTES) return false;
    this.#socket.write(encodeFrame(frame));
    return true;
  }

  close(): void {
    this.#socket.destroy();
  }
}
