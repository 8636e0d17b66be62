/** Longest payload of a request or a reply, in bytes: sealed, it fits the largest message of a NATS server as it comes. */
export const MAX_PAYLOAD_BYTES = 768 * 1024;

/** Answers requests on one subject. `from` is the node that sent it: links between processes prove it. */
export type BusHandler = (from: string, payload: Uint8Array) => Promise<Uint8Array>;

/** Characters of the name of a process: lower-case hexadecimal. */
export const INSTANCE_CHARS = 8;

/** How a request is made. */
export interface RequestOptions {
  readonly timeoutMs: number;
  /** The process of the node that shall answer; any one of them when left out. */
  readonly instance?: string;
}

/**
 * How nodes reach one another: requests and replies of opaque bytes. Requests from one process to
 * another arrive in the order in which they were made. Nothing is delivered twice, and nothing is
 * repeated when it is lost. A node is one process or several, its replicas.
 */
export interface Bus {
  /** The id of this node. */
  readonly self: string;
  /** Names this process among those of the node, and among those that it had before: {@link INSTANCE_CHARS} characters. */
  readonly instance: string;
  /**
   * Sends a request and waits for its reply. The caller keeps `payload`; the reply is the caller's.
   * @throws SymmetraError NODE_UNREACHABLE when no such node is joined, or either side closes;
   * INSTANCE_GONE when the node has no such process; BUS_TIMEOUT; NO_HANDLER; MESSAGE_TOO_LARGE;
   * BAD_ENCODING when the reply is not one. A SymmetraError of the handler arrives with its code,
   * message and details; any other failure of the handler arrives as INTERNAL.
   */
  request(to: string, subject: string, payload: Uint8Array, options: RequestOptions): Promise<Uint8Array>;
  /** Answers requests on a subject. @throws SymmetraError SUBJECT_TAKEN */
  serve(subject: string, handler: BusHandler): void;
  /** Leaves the bus. Requests that wait for a reply fail; replies of handlers under way are dropped. */
  close(): Promise<void>;
}
