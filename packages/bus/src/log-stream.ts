/** One entry of the stream. */
export interface LogEntry {
  /** Its place: from 1, ascending; numbers may be missing where entries were removed. */
  readonly sequence: number;
  readonly data: Uint8Array;
}

/** What the stream is now. */
export interface LogState {
  /** Names this stream among those that had its name before: one that was made anew has another. */
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
  /**
   * Hands over the entries behind `after`, one at a time and in order, and goes on as they come, also after the
   * connection was lost or the stream was made anew, until it is stopped. An entry that `onEntry` rejects comes again.
   * @returns what stops it
   */
  follow(after: number, onEntry: (entry: LogEntry) => Promise<void>): () => Promise<void>;
  close(): Promise<void>;
}
