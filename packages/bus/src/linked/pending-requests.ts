import { SymmetraError } from '@symmetra/crypto';
import { decodeOutcome } from '../outcome.js';
import { Deadlines } from './deadlines.js';
import type { PeerProcess } from './held-link.js';
import type { LinkClock } from './options.js';

/** LINK-8: requests that may wait for a reply, and those that may wait for replies of one node. */
const MAX_PENDING = 65_536;
const MAX_PENDING_OF_NODE = 16_384;

/** A request that waits for its reply. */
export interface PendingRequest {
  readonly node: string;
  readonly subject: string;
  readonly timeoutMs: number;
  /** Whether the caller named the process. */
  readonly named: boolean;
  /** The process that it goes to; undefined while any process of the node may take it, and for a request to oneself. */
  process: PeerProcess | undefined;
  readonly madeAt: number;
  readonly resolve: (reply: Uint8Array) => void;
  readonly reject: (error: unknown) => void;
}

/** The requests that wait, by their ids. */
export class PendingRequests {
  readonly #pending = new Map<number, PendingRequest>();
  readonly #ofNode = new Map<string, number>();
  readonly #deadlines: Deadlines;
  readonly #onSilence: (request: PendingRequest) => void;

  /** @param onSilence told of each request that no reply came to in time */
  constructor(clock: LinkClock, onSilence: (request: PendingRequest) => void) {
    this.#onSilence = onSilence;
    this.#deadlines = new Deadlines(
      clock,
      (id) => this.#pending.has(id),
      (id) => this.#expire(id),
    );
  }

  /** @throws BUS_BUSY when too many wait already */
  checkRoom(node: string): void {
    const ofNode = this.#ofNode.get(node) ?? 0;
    if (this.#pending.size < MAX_PENDING && ofNode < MAX_PENDING_OF_NODE) return;
    throw new SymmetraError('BUS_BUSY', 'too many requests wait for replies', { node, requests: ofNode });
  }

  add(id: number, request: PendingRequest): void {
    this.#pending.set(id, request);
    this.#ofNode.set(request.node, (this.#ofNode.get(request.node) ?? 0) + 1);
    this.#deadlines.add(id, request.madeAt + request.timeoutMs, this.#pending.size);
  }

  /** Gives a request another id, if it still waits. @returns whether it does */
  renumber(id: number, fresh: number): boolean {
    const request = this.#pending.get(id);
    if (request === undefined) return false;
    this.#remove(id, request);
    this.add(fresh, request);
    return true;
  }

  /** Takes the outcome of a request to that process, or to oneself; what nobody waits for is dropped. */
  settle(id: number, process: PeerProcess | undefined, outcome: Uint8Array): void {
    const request = this.#pending.get(id);
    if (request === undefined || request.process !== process) return;
    this.#remove(id, request);
    try {
      request.resolve(decodeOutcome(outcome));
    } catch (error) {
      request.reject(error);
    }
  }

  /** Fails the requests that the test picks. */
  fail(which: (request: PendingRequest) => boolean, error: (request: PendingRequest) => SymmetraError): void {
    for (const [id, request] of this.#pending) {
      if (!which(request)) continue;
      this.#remove(id, request);
      request.reject(error(request));
    }
  }

  /** Whether any request waits that the test picks. */
  some(which: (request: PendingRequest) => boolean): boolean {
    for (const request of this.#pending.values()) if (which(request)) return true;
    return false;
  }

  /** What waited for any process of the node waits for this one now. */
  assign(node: string, process: PeerProcess): void {
    for (const request of this.#pending.values()) {
      if (request.node === node && request.process === undefined) request.process = process;
    }
  }

  stop(): void {
    this.#deadlines.stop();
  }

  #expire(id: number): void {
    const request = this.#pending.get(id);
    if (request === undefined) return;
    this.#remove(id, request);
    const { node, subject, timeoutMs } = request;
    const details = { node, subject, timeoutMs };
    request.reject(new SymmetraError('BUS_TIMEOUT', 'the node did not reply in time', details));
    this.#onSilence(request);
  }

  #remove(id: number, request: PendingRequest): void {
    this.#pending.delete(id);
    const left = (this.#ofNode.get(request.node) ?? 1) - 1;
    if (left === 0) this.#ofNode.delete(request.node);
    else this.#ofNode.set(request.node, left);
  }
}
