import { Duplex } from 'node:stream';
import { SymmetraError, fromHex } from '@symmetra/crypto';
import type { Carrier, CarrierListener } from './carrier.js';
import { MAX_DATA_BYTES } from './channel-frames.js';
import type { ChannelFrame } from './channel-frames.js';

/** How a channel is made. */
export interface SecureChannelOptions {
  /** 32 hexadecimal digits. */
  readonly id: string;
  /** Device id of the peer. */
  readonly peer: string;
  readonly role: 'client' | 'server';
  readonly carrier: Carrier;
  /** The TLS server asks its client to move to another key. */
  readonly onMoveAsked: (channel: SecureChannel, keyId: string) => void;
}

/**
 * CHN-5: a byte stream to a peer in both directions, under keys that no node knows. It goes on when its key is renewed:
 * each side ends what it says on the old connection with a switch, and goes on over the new one; what comes on the new
 * one is read behind the other side's switch.
 */
export class SecureChannel extends Duplex {
  readonly id: string;
  /** Device id of the peer. */
  readonly peer: string;
  /** Whether this device opened the channel. */
  readonly role: 'client' | 'server';
  readonly #onMoveAsked: (channel: SecureChannel, keyId: string) => void;
  #writer: Carrier;
  #reader: Carrier;
  /** Takes over reading behind the peer's switch. */
  #nextReader: Carrier | undefined;
  /** The peer's switch came before this side learned of the new connection. */
  #isSwitchedEarly = false;
  #sent = 0;
  #received = 0;
  #endReceived = false;
  #endSent = false;
  #hasRoom = true;

  constructor(options: SecureChannelOptions) {
    super({ allowHalfOpen: true });
    this.id = options.id;
    this.peer = options.peer;
    this.role = options.role;
    this.#onMoveAsked = options.onMoveAsked;
    this.#writer = options.carrier;
    this.#reader = options.carrier;
    options.carrier.listen(this.#listener);
    // What controls the channel is read whether anybody wants data or not; data waits within bounds.
    options.carrier.resume();
  }

  /** The key under which the channel sends. */
  get keyId(): string {
    return this.#writer.keyId;
  }

  /** Whether the channel is on its way from one key to another. */
  get isMoving(): boolean {
    return this.#reader !== this.#writer;
  }

  /** Goes on over another connection, of the same peer. Nothing is lost. */
  moveTo(carrier: Carrier): void {
    this.#nextReader = carrier;
    carrier.listen(this.#listener);
    this.#writer.send({ kind: 'switch', offset: this.#sent });
    this.#writer = carrier;
    // The switch of the peer must be read, whether anybody wants data or not.
    if (this.#isSwitchedEarly) this.#readNext(carrier);
    else this.#reader.resume();
  }

  /** Asks the TLS client to move the channel to another key. */
  askToMove(keyId: string): void {
    this.#writer.send({ kind: 'move-to', keyId: fromHex(keyId) });
  }

  override _read(): void {
    this.#hasRoom = true;
    if (!this.#isSwitchedEarly) this.#reader.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    let at = 0;
    do {
      const bytes = chunk.subarray(at, at + MAX_DATA_BYTES);
      at += MAX_DATA_BYTES;
      this.#sent += bytes.length;
      this.#writer.send({ kind: 'data', bytes }, at < chunk.length ? undefined : done);
    } while (at < chunk.length);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#writer.send({ kind: 'end' }, (error) => {
      this.#endSent = true;
      done(error);
    });
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    for (const carrier of new Set([this.#writer, this.#reader, this.#nextReader])) {
      if (error === null && this.#isComplete) carrier?.end();
      else carrier?.destroy();
    }
    done(error);
  }

  readonly #listener: CarrierListener = {
    frame: (frame, from) => this.#receive(frame, from),
    closed: (from) => this.#lost(from),
  };

  get #isComplete(): boolean {
    return this.#endReceived && this.#endSent;
  }

  #receive(frame: ChannelFrame, from: Carrier): void {
    switch (frame.kind) {
      case 'data':
        this.#received += frame.bytes.length;
        this.#hasRoom = this.push(frame.bytes);
        if (!this.#hasRoom && this.#nextReader === undefined) from.pause();
        break;
      case 'end':
        this.#endReceived = true;
        this.push(null);
        break;
      case 'switch':
        this.#switchReader(frame.offset, from);
        break;
      case 'move-to':
        if (this.role === 'client') this.#onMoveAsked(this, Buffer.from(frame.keyId).toString('hex'));
        break;
      case 'open':
      case 'move':
      case 'ready':
        this.#break();
        break;
    }
  }

  /** The peer goes on over the new connection, behind exactly so many bytes. */
  #switchReader(offset: number, from: Carrier): void {
    if (from !== this.#reader || this.#isSwitchedEarly || offset !== this.#received) {
      this.#break();
      return;
    }
    from.pause();
    if (this.#nextReader === undefined) this.#isSwitchedEarly = true;
    else this.#readNext(this.#nextReader);
  }

  #readNext(next: Carrier): void {
    this.#reader.end();
    this.#reader = next;
    this.#nextReader = undefined;
    this.#isSwitchedEarly = false;
    if (this.#hasRoom) next.resume();
  }

  #lost(from: Carrier): void {
    if (this.destroyed || this.#isComplete) return;
    if (from !== this.#reader && from !== this.#writer && from !== this.#nextReader) return;
    this.destroy(
      new SymmetraError('CHANNEL_CLOSED', 'the connection of the channel ended', { peer: this.peer }),
    );
  }

  #break(): void {
    this.destroy(
      new SymmetraError('CHANNEL_BROKEN', 'the peer broke the rules of the channel', { peer: this.peer }),
    );
  }
}
