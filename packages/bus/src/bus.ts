/** Longest payload of a request or a reply, in bytes. */
export const MAX_PAYLOAD_BYTES = 1024 * 1024;

/** Answers requests on one subject. `from` is the node that the bus states; envelopes prove it. */
export type BusHandler = (from: string, payload: Uint8Array) => Promise<Uint8Array>;

/**
 * How nodes reach one another: requests and replies of opaque bytes. Requests from one node to
 * another arrive in the order in which they were made. Nothing is delivered twice, and nothing is
 * repeated when it is lost.
 */
export interface Bus {
  /** The id of this node. */
  readonly self: string;
  /**
   * Sends a request and waits for its reply. The caller keeps `payload`; the reply is the caller's.
   * @throws SymmetraError NODE_UNREACHABLE when no such node is joined, or either side closes;
   * BUS_TIMEOUT; NO_HANDLER; MESSAGE_TOO_LARGE; BAD_ENCODING when the reply is not one. A
   * SymmetraError of the handler arrives with its code, message and details; any other failure of
   * the handler arrives as INTERNAL.
   */
  request(
    to: string,
    subject: string,
    payload: Uint8Array,
    options: { readonly timeoutMs: number },
  ): Promise<Uint8Array>;
  /** Answers requests on a subject. @throws SymmetraError SUBJECT_TAKEN */
  serve(subject: string, handler: BusHandler): void;
  /** Leaves the bus. Requests that wait for a reply fail; replies of handlers under way are dropped. */
  close(): Promise<void>;
}
