import { SymmetraError, concat } from '@symmetra/crypto';

/** How an {@link Outbox} gathers and what it may hold. */
export interface OutboxOptions<Item> {
  /**
   * The bytes of a frame that holds only this item. A protobuf message with repeated fields is the
   * concatenation of such frames, so that each item is encoded once.
   */
  readonly encode: (item: Item) => Uint8Array;
  /** Sends a frame; `taken` is called when the transport has taken it off this process's hands. */
  readonly write: (frame: Uint8Array, taken: () => void) => void;
  readonly maxItemsPerFrame: number;
  readonly maxFrameBytes: number;
  /** Bytes that the transport may hold; the rest waits here, and is gathered into larger frames. */
  readonly maxWritingBytes: number;
  /** Bytes of all items that have not been taken yet. */
  readonly maxPendingBytes: number;
}

/**
 * Gathers what is pushed in one turn of the event loop into few frames, in the order of the pushes,
 * and holds a bounded number of bytes for a peer that reads slowly.
 */
export class Outbox<Item> {
  readonly #options: OutboxOptions<Item>;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #writingBytes = 0;
  #scheduled: NodeJS.Immediate | undefined;
  #closed = false;

  constructor(options: OutboxOptions<Item>) {
    this.#options = options;
  }

  /** Bytes that the transport has not taken yet. */
  get pendingBytes(): number {
    return this.#waitingBytes + this.#writingBytes;
  }

  /**
   * Adds an item. False, and the item is not taken, when the outbox is closed or would hold too much.
   * @throws SymmetraError MESSAGE_TOO_LARGE when the item alone is longer than a frame.
   */
  push(item: Item): boolean {
    return !this.#closed && this.pushEncoded(this.#options.encode(item));
  }

  /**
   * As {@link Outbox.push}, for the bytes of a frame that was encoded once for many outboxes. They are not changed, and
   * must not be.
   */
  pushEncoded(bytes: Uint8Array): boolean {
    if (this.#closed) return false;
    if (bytes.length > this.#options.maxFrameBytes) {
      throw new SymmetraError('MESSAGE_TOO_LARGE', 'the item is longer than a frame of the link', {
        bytes: bytes.length,
        maxBytes: this.#options.maxFrameBytes,
      });
    }
    if (this.pendingBytes + bytes.length > this.#options.maxPendingBytes) return false;
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    this.#scheduled ??= setImmediate(() => this.flush());
    return true;
  }

  /** Hands over as many frames as the transport may hold; the rest follows when it takes them. */
  flush(): void {
    this.#handOver(this.#options.maxWritingBytes);
  }

  /** Hands over everything that waits, whatever the transport holds, and takes nothing more. */
  finish(): void {
    this.#handOver(Number.POSITIVE_INFINITY);
    this.discard();
  }

  /** Drops everything that waits and takes nothing more. */
  discard(): void {
    this.#closed = true;
    clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
    this.#waiting = [];
    this.#waitingBytes = 0;
  }

  #handOver(maxWritingBytes: number): void {
    clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
    let next = 0;
    while (next < this.#waiting.length && this.#writingBytes < maxWritingBytes) {
      const end = this.#endOfFrame(next);
      this.#write(this.#waiting.slice(next, end));
      next = end;
    }
    this.#waiting = this.#waiting.slice(next);
  }

  #endOfFrame(start: number): number {
    let end = start;
    let bytes = 0;
    while (end < this.#waiting.length && end - start < this.#options.maxItemsPerFrame) {
      bytes += this.#waiting[end]?.length ?? 0;
      if (bytes > this.#options.maxFrameBytes) break;
      end += 1;
    }
    return end;
  }

  #write(items: readonly Uint8Array[]): void {
    const frame = items.length === 1 && items[0] !== undefined ? items[0] : concat(...items);
    this.#waitingBytes -= frame.length;
    this.#writingBytes += frame.length;
    this.#options.write(frame, () => {
      this.#writingBytes -= frame.length;
      if (!this.#closed && this.#waiting.length > 0) this.#scheduled ??= setImmediate(() => this.flush());
    });
  }
}
