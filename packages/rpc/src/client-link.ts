import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js';
import type { SymmetraError } from '@symmetra/crypto';
import { asBuffer, decode, encode } from './codec.js';
import type { Message, MessageInput } from './codec.js';
import { fromStatus } from './errors.js';
import { MAX_FRAME_BYTES } from './methods.js';
import { Outbox } from './outbox.js';

const MAX_ITEMS_PER_FRAME = 256;
const MAX_WRITING_BYTES = 256 * 1024;
const MAX_PENDING_BYTES = 4 * 1024 * 1024;

/** A sealed call as a device puts it on its link. */
export type LinkCall = MessageInput<'symmetra.link.v1.Call'>;

type Item = MessageInput<'symmetra.link.v1.ConnectRequest'>;
type Frame = Message<'symmetra.link.v1.ConnectResponse'>;

/** The device's end of its link. Register the listeners in the turn in which it was made. */
export class ClientLink {
  readonly #stream: ClientDuplexStream<Buffer, Buffer>;
  readonly #outbox: Outbox<Item>;
  readonly #closeListeners: ((reason: SymmetraError | undefined) => void)[] = [];
  #frameListener: ((frame: Frame) => void) | undefined;
  #closed = false;

  constructor(stream: ClientDuplexStream<Buffer, Buffer>, address: string) {
    this.#stream = stream;
    this.#outbox = new Outbox({
      encode: (item) => encode('symmetra.link.v1.ConnectRequest', item),
      write: (frame, taken) => stream.write(asBuffer(frame), taken),
      maxItemsPerFrame: MAX_ITEMS_PER_FRAME,
      maxFrameBytes: MAX_FRAME_BYTES,
      maxWritingBytes: MAX_WRITING_BYTES,
      maxPendingBytes: MAX_PENDING_BYTES,
    });
    stream.on('data', (bytes: Buffer) => this.#receive(bytes));
    stream.on('error', (error: ServiceError) => this.#closeWith(fromStatus(error, address)));
    stream.on('end', () => this.#closeWith(undefined));
  }

  /**
   * False when the call was not taken: the link is closed, or too much waits to be sent.
   * @throws SymmetraError MESSAGE_TOO_LARGE when the call does not fit a frame, BAD_MESSAGE.
   */
  send(call: LinkCall): boolean {
    return this.#outbox.push({ calls: [call] });
  }

  /** Takes what the node sends. */
  onFrame(listener: (frame: Frame) => void): void {
    this.#frameListener = listener;
  }

  /** Called once; the reason is undefined when either side ended the link in order. */
  onClose(listener: (reason: SymmetraError | undefined) => void): void {
    this.#closeListeners.push(listener);
  }

  /** Sends what waits, then ends the link; nothing is received any more. */
  close(): void {
    if (this.#closed) return;
    this.#outbox.finish();
    this.#stream.end();
    this.#closeWith(undefined);
  }

  /** Ends the link at once, whatever waits. */
  cancel(): void {
    this.#closeWith(undefined);
    this.#stream.cancel();
  }

  #receive(bytes: Buffer): void {
    if (this.#closed) return;
    let frame: Frame;
    try {
      frame = decode('symmetra.link.v1.ConnectResponse', bytes);
    } catch (error) {
      this.#closeWith(error as SymmetraError);
      this.#stream.cancel();
      return;
    }
    this.#frameListener?.(frame);
  }

  #closeWith(reason: SymmetraError | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#outbox.discard();
    for (const listener of this.#closeListeners) listener(reason);
  }
}
