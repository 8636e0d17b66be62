import { AuthenticationError, EncodingError, Reader, Writer, fromHex, toHex } from '@symmetra/crypto';
import { readCount } from '../context.js';
import { REPLAY_WINDOW } from '../session/window.js';

/** GRP-12: counters that are stored ahead; after a crash as many at most are lost. */
export const COUNTERS_AHEAD = 64;

const BITS = 8;

/**
 * GRP-12: which counters of one sender under one epoch were taken: each once, and none older than the window. What is
 * stored holds every counter below `exact`, and counts all from there up to `ceiling` as taken: after a crash those are
 * refused rather than one of them taken twice.
 */
export class MessageWindow {
  readonly #seen: Uint8Array;
  /** The lowest counter that is above all that were taken. */
  #next: number;
  /** Counters from here to the ceiling may be taken without storing anew. */
  #exact: number;
  #ceiling: number;

  private constructor(seen: Uint8Array, next: number) {
    this.#seen = seen;
    this.#next = next;
    this.#exact = next;
    this.#ceiling = next;
  }

  /** The window of a sender from whom nothing came yet under the epoch. */
  static fresh(): MessageWindow {
    return new MessageWindow(new Uint8Array(REPLAY_WINDOW / BITS), 0);
  }

  /** The window as it was stored: what may have been taken since counts as taken. @throws BAD_ENCODING */
  static restore(stored: Uint8Array): MessageWindow {
    const reader = new Reader(stored, 'stored message window');
    const seen = reader.raw(REPLAY_WINDOW / BITS);
    const exact = readCount(reader);
    const ceiling = readCount(reader);
    reader.end();
    if (ceiling < exact || ceiling - exact > COUNTERS_AHEAD) {
      throw new EncodingError('a stored message window has its bounds in wrong order');
    }
    const window = new MessageWindow(seen, exact);
    for (let counter = exact; counter < ceiling; counter++) window.#mark(counter);
    window.#exact = ceiling;
    window.#ceiling = ceiling;
    return window;
  }

  /** Whether the counter is new, without taking note of it. */
  accepts(counter: number): boolean {
    if (counter >= this.#next) return true;
    return counter >= this.#next - REPLAY_WINDOW && !this.#has(counter);
  }

  /**
   * Takes note of a counter whose message verified.
   * @returns what has to be stored before the message is given on; undefined when the stored one covers it.
   */
  take(counter: number): Uint8Array | undefined {
    this.#mark(counter);
    if (counter >= this.#exact && counter < this.#ceiling) return undefined;
    if (counter >= this.#ceiling) this.#ceiling = this.#next + COUNTERS_AHEAD;
    this.#exact = this.#next;
    return this.#stored();
  }

  /** What a program that ends in good order stores: no counter is lost. */
  finish(): Uint8Array {
    this.#exact = this.#next;
    this.#ceiling = this.#next;
    return this.#stored();
  }

  #stored(): Uint8Array {
    return new Writer().raw(this.#seen).u64(this.#exact).u64(this.#ceiling).finish();
  }

  #mark(counter: number): void {
    if (counter >= this.#next) {
      const skipped = Math.min(counter - this.#next, REPLAY_WINDOW);
      for (let i = 1; i <= skipped; i++) this.#set(counter - i, false);
      this.#next = counter + 1;
    }
    this.#set(counter, true);
  }

  #has(counter: number): boolean {
    const slot = counter % REPLAY_WINDOW;
    return (((this.#seen[Math.floor(slot / BITS)] as number) >>> (slot % BITS)) & 1) === 1;
  }

  #set(counter: number, value: boolean): void {
    const slot = counter % REPLAY_WINDOW;
    const at = Math.floor(slot / BITS);
    const bit = 1 << (slot % BITS);
    const old = this.#seen[at] as number;
    this.#seen[at] = value ? old | bit : old & ~bit;
  }
}

/** GRP-12: the windows of all senders under one epoch: for at most as many as the epoch has members. */
export class SenderWindows {
  readonly #members: number;
  readonly #windows = new Map<string, MessageWindow>();

  constructor(members: number) {
    this.#members = members;
  }

  /** Takes in what was stored for a sender. @throws BAD_ENCODING */
  restore(sender: Uint8Array, stored: Uint8Array): void {
    this.#windows.set(toHex(sender), MessageWindow.restore(stored));
  }

  /**
   * The window of a sender of whom a message verified.
   * @throws AUTHENTICATION_FAILED when there are as many senders as members, and this is another one
   */
  of(sender: Uint8Array): MessageWindow {
    const name = toHex(sender);
    const known = this.#windows.get(name);
    if (known !== undefined) return known;
    if (this.#windows.size >= this.#members) {
      throw new AuthenticationError('the group message is of one sender more than the epoch has members');
    }
    const fresh = MessageWindow.fresh();
    this.#windows.set(name, fresh);
    return fresh;
  }

  /** What a program that ends in good order stores, by sender. */
  finish(): readonly { readonly sender: Uint8Array; readonly window: Uint8Array }[] {
    return [...this.#windows].map(([sender, window]) => ({
      sender: fromHex(sender),
      window: window.finish(),
    }));
  }
}

/**
 * GRP-12: the counters of this device under one epoch, never one twice. What is stored is an upper bound of those that
 * may have been used.
 */
export class MessageCounter {
  #next: number;
  #stored: number;

  /** @param stored the upper bound that was stored last; 0 when there is none. */
  constructor(stored: number) {
    this.#next = stored;
    this.#stored = stored;
  }

  /** How many messages may still be sent when `limit` are allowed. */
  remaining(limit: number): number {
    return Math.max(0, limit - this.#next);
  }

  /**
   * The next counter.
   * @param limit messages that a member may send under the epoch.
   * @returns with `store`, an upper bound that has to be stored before the counter is used; undefined when all are used.
   */
  take(limit: number): { readonly counter: number; readonly store: number | undefined } | undefined {
    if (this.#next >= limit) return undefined;
    const counter = this.#next;
    this.#next += 1;
    if (counter < this.#stored) return { counter, store: undefined };
    this.#stored = Math.min(limit, counter + COUNTERS_AHEAD);
    return { counter, store: this.#stored };
  }

  /** What a program that ends in good order stores: no counter is lost. */
  finish(): number {
    this.#stored = this.#next;
    return this.#next;
  }
}
