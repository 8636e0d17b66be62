import { SymmetraError } from '@symmetra/crypto';
import { MAX_PAYLOAD_BYTES } from './bus.js';

/** Longest entry, in bytes. */
export const MAX_ENTRY_BYTES = MAX_PAYLOAD_BYTES;

/** How long an entry that was rejected waits, in milliseconds, before it comes again. */
export const LOG_PAUSE_MS = 1000;

/** One entry of the stream. */
export interface LogEntry {
  /** Its place: from 1, ascending; numbers may be missing where entries were removed. */
  readonly sequence: number;
  readonly data: Uint8Array;
}

/** What the stream is now. */
export interface LogState {
  /**
   * Names this stream among those that had its name before: one that was made anew has another. Empty for one that ends
   * with its process, in which nobody keeps a place.
   */
  readonly incarnation: string;
  /** Sequence of the newest entry; 0 when there was none. */
  readonly last: number;
}

/**
 * An ordered, durable log that every node appends to and reads. Whoever keeps it may forge, drop and truncate: readers
 * verify each entry, and keep what they have verified.
 */
export interface LogStream {
  /**
   * Appends an entry, durably, if `last` is the sequence of the newest one. The caller keeps `data`.
   * @returns the sequence of the entry
   * @throws LOG_MOVED when another entry is newer; LOG_UNAVAILABLE when it is unknown whether it was appended, or the
   * stream can not be reached; MESSAGE_TOO_LARGE
   */
  append(data: Uint8Array, last: number): Promise<number>;
  /** @throws LOG_UNAVAILABLE */
  state(): Promise<LogState>;
  /** The first entry behind `after`; undefined when none is there, as where the newest were removed. @throws LOG_UNAVAILABLE */
  next(after: number): Promise<LogEntry | undefined>;
  /**
   * Hands over the entries behind `after`, one at a time and in order, and goes on as they come, also after the
   * connection was lost, until it is stopped. A stream that was made anew, or whose newest entry is older than the
   * last one that was handed over, is handed over again from its first entry. An entry that `onEntry` rejects comes
   * again after {@link LOG_PAUSE_MS}.
   * @returns what stops it, and resolves when `onEntry` is under way no more: never wait for it inside `onEntry`
   */
  follow(after: number, onEntry: (entry: LogEntry) => Promise<void>): () => Promise<void>;
  close(): Promise<void>;
}

/** @throws SymmetraError MESSAGE_TOO_LARGE */
export function checkEntry(data: Uint8Array): void {
  if (data.length <= MAX_ENTRY_BYTES) return;
  throw new SymmetraError('MESSAGE_TOO_LARGE', 'the entry is longer than the log takes', {
    bytes: data.length,
    maxBytes: MAX_ENTRY_BYTES,
  });
}
