import type { TLSSocket } from 'node:tls';
import { encodeChannelFrame, readChannelFrame } from './channel-frames.js';
import type { ChannelFrame } from './channel-frames.js';

/** What a carrier tells its channel. */
export interface CarrierListener {
  frame(frame: ChannelFrame, from: Carrier): void;
  /** The connection is gone. */
  closed(from: Carrier): void;
}

/** One TLS connection that carries a channel, or a part of its time. Frames wait while it is paused. */
export class Carrier {
  readonly keyId: string;
  readonly #socket: TLSSocket;
  #listener: CarrierListener | undefined;
  #waiting: Buffer[] = [];
  #paused = true;
  #isGone = false;
  #reading = false;

  /** Begins paused. */
  constructor(keyId: string, socket: TLSSocket) {
    this.keyId = keyId;
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      this.#waiting.push(chunk);
      this.#read();
    });
    socket.on('error', () => socket.destroy());
    socket.on('end', () => this.#gone());
    socket.on('close', () => this.#gone());
    socket.pause();
  }

  /** Hands frames on from here, as soon as it is resumed. */
  listen(listener: CarrierListener): void {
    this.#listener = listener;
    if (this.#isGone) queueMicrotask(() => listener.closed(this));
  }

  /** Sends a frame; `taken` is called when the connection has room again, or with an error when it is gone. */
  send(frame: ChannelFrame, taken?: (error?: Error | null) => void): void {
    this.#socket.write(encodeChannelFrame(frame), taken);
  }

  pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#read();
    if (!this.#paused) this.#socket.resume();
  }

  /** Ends the connection behind what was sent. */
  end(): void {
    this.#socket.end();
  }

  /** Ends the connection at once. */
  destroy(): void {
    this.#socket.destroy();
  }

  #read(): void {
    if (this.#reading) return;
    this.#reading = true;
    try {
      let bytes = Buffer.concat(this.#waiting);
      while (!this.#paused && this.#listener !== undefined) {
        const next = readChannelFrame(bytes);
        if (next === undefined) break;
        bytes = bytes.subarray(next.length);
        this.#listener.frame(next.frame, this);
      }
      this.#waiting = bytes.length === 0 ? [] : [bytes];
    } catch {
      this.#waiting = [];
      this.#socket.destroy();
    } finally {
      this.#reading = false;
    }
    // What follows the last frame that was read is there, but nobody has told so yet.
    if (this.#isGone && !this.#paused) this.#listener?.closed(this);
  }

  #gone(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    if (this.#waiting.length === 0 || !this.#paused) this.#listener?.closed(this);
  }
}
