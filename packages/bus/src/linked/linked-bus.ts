import { SymmetraError } from '@symmetra/crypto';
import type { Bus, BusHandler, RequestOptions } from '../bus.js';
import { encodeFailure } from '../outcome.js';
import { FrameBatch, checkSubject, readFrames } from './frames.js';
import { Handlers, checkPayload } from './handlers.js';
import { Handling } from './handling.js';
import type { PeerProcess } from './held-link.js';
import { Links } from './links.js';
import type { LinkedBusOptions } from './options.js';
import { PendingRequests } from './pending-requests.js';
import type { PendingRequest } from './pending-requests.js';

/** LINK-8: bytes that may wait for one process or node. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024;
/** LINK-8: what may wait for processes of one node that were named, and that there is no link with. */
const MAX_STRANGE_BYTES = 4 * 1024 * 1024;
const MAX_STRANGE_REQUESTS = 1024;

/** A request of this process to its own node. */
interface OwnRequest {
  readonly id: number;
  readonly subject: string;
  readonly payload: Uint8Array;
}

/**
 * A bus over datagrams that others carry: everything between two processes goes under the keys of their link
 * (docs/protocol/14-links.md), and what one turn of the event loop has for a process goes in one datagram. Beside what
 * {@link Bus} says, a request fails with BUS_BUSY when too much waits already.
 */
export class LinkedBus implements Bus {
  readonly self: string;
  readonly instance: string;
  readonly #options: LinkedBusOptions;
  readonly #links: Links;
  readonly #handlers: Handlers;
  readonly #handling = new Handling();
  readonly #pending: PendingRequests;
  /** LINK-6: requests to any process of a node, until there is a link with one. */
  readonly #waiting = new Map<string, FrameBatch>();
  readonly #due = new Set<PeerProcess>();
  #own: OwnRequest[] = [];
  #flushing = false;
  #nextId = 1;
  #closed = false;

  /** Listens on the wire from now on. @throws NODE_DIFFERS when the wire's address names another node, or the node has no key of the suite */
  constructor(options: LinkedBusOptions) {
    this.#options = options;
    this.self = options.wire.address.node;
    this.instance = options.wire.address.instance;
    this.#handlers = new Handlers(this.self, options.onFailure);
    this.#pending = new PendingRequests(options.clock, (request) => this.#silent(request));
    this.#links = new Links(options, {
      frames: (process, frames) => this.#frames(process, frames),
      opened: (process) => this.#opened(process),
      absent: (nodeId, instance) => this.#absent(nodeId, instance),
      failed: (nodeId, instance) => this.#failed(nodeId, instance),
      gone: (process) => this.#gone(process),
    });
  }

  request(to: string, subject: string, payload: Uint8Array, options: RequestOptions): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const { timeoutMs, instance } = options;
      const own = this.#isOwn(to, instance);
      const madeAt = this.#options.clock.monotonic();
      this.#check(to, subject, payload);
      const process = own ? undefined : this.#target(to, instance, madeAt);
      const id = this.#nextId;
      if (own) this.#own.push({ id, subject, payload: payload.slice() });
      else this.#enqueue(to, process, id, subject, payload);
      this.#nextId += 1;
      const named = instance !== undefined;
      this.#pending.add(id, { node: to, subject, timeoutMs, named, process, madeAt, resolve, reject });
      this.#schedule();
    });
  }

  serve(subject: string, handler: BusHandler): void {
    this.#handlers.serve(subject, handler);
  }

  /** LINK-7: to be called when there is a newer descriptor: links with nodes whose keys it changed end at once. */
  keysChanged(): void {
    this.#links.keysChanged();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#pending.fail(
      () => true,
      () => unreachable(this.self, 'this node has left the bus'),
    );
    this.#pending.stop();
    await this.#links.close();
  }

  #isOwn(to: string, instance: string | undefined): boolean {
    if (to !== this.self) return false;
    return instance === undefined ? this.#options.isGuest !== true : instance === this.instance;
  }

  /** @throws NODE_UNREACHABLE, MESSAGE_TOO_LARGE, BUS_BUSY */
  #check(to: string, subject: string, payload: Uint8Array): void {
    if (this.#closed) throw unreachable(this.self, 'this node has left the bus');
    checkPayload(payload);
    checkSubject(subject);
    this.#pending.checkRoom(to);
  }

  /**
   * LINK-6: the process that a request goes to; undefined: whichever opens a link first.
   * @throws NODE_UNREACHABLE when no link can come about; BUS_BUSY when too many are being opened
   */
  #target(to: string, instance: string | undefined, now: number): PeerProcess | undefined {
    const process = instance === undefined ? this.#links.reachable(to, now) : this.#links.find(to, instance);
    if (process?.sending(now) !== undefined) return process;
    const beginning = this.#links.open(to, instance);
    if (beginning === 'too many') throw busy('too many links with the node are being opened', to);
    if (beginning === 'refused') {
      throw unreachable(to, 'the node is unknown, or did not answer a moment ago');
    }
    return instance === undefined ? undefined : this.#links.process({ nodeId: to, instance });
  }

  /** LINK-8. @throws BUS_BUSY */
  #enqueue(
    to: string,
    process: PeerProcess | undefined,
    id: number,
    subject: string,
    payload: Uint8Array,
  ): void {
    const batch = process?.batch ?? this.#waiting.get(to) ?? new FrameBatch(this.#links.batchBytes);
    if (batch.bytes + payload.length > MAX_WAITING_BYTES) {
      throw busy('too much waits for the node', to);
    }
    if (process?.links.length === 0) {
      const { frames, bytes } = this.#links.waitingForStrangers(to);
      if (frames >= MAX_STRANGE_REQUESTS || bytes + payload.length > MAX_STRANGE_BYTES) {
        throw busy('too much waits for links with the node', to);
      }
    }
    batch.request(id, subject, payload);
    if (process === undefined) this.#waiting.set(to, batch);
    else this.#due.add(process);
  }

  /** What this turn of the event loop collects goes out behind it. */
  #schedule(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => {
      this.#flushing = false;
      if (this.#closed) return;
      const now = this.#options.clock.monotonic();
      for (const process of this.#due) this.#links.send(process, now);
      this.#due.clear();
      const own = this.#own;
      this.#own = [];
      for (const { id, subject, payload } of own) this.#answerOwn(id, subject, payload);
    });
  }

  #answerOwn(id: number, subject: string, payload: Uint8Array): void {
    this.#handlers.answer(this.self, subject, payload, (outcome) => {
      setImmediate(() => this.#pending.settle(id, undefined, outcome));
    });
  }

  /** LINK-6. @throws BAD_ENCODING */
  #frames(process: PeerProcess, frames: Uint8Array): void {
    readFrames(frames, {
      request: (id, subject, payload) => this.#answer(process, id, subject, payload),
      reply: (id, outcome) => this.#pending.settle(id, process, outcome),
      farewell: () => this.#links.left(process),
    });
  }

  /** LINK-6: each request once, and in the order of their ids. */
  #answer(process: PeerProcess, id: number, subject: string, payload: Uint8Array): void {
    if (id <= process.lastRequest) return;
    process.lastRequest = id;
    const { nodeId } = process;
    const bytes = payload.length;
    if (!this.#handling.begin(nodeId, bytes)) {
      this.#reply(process, id, encodeFailure(busy('too many requests are under way', this.self)));
      return;
    }
    this.#handlers.answer(nodeId, subject, payload.slice(), (outcome) => {
      this.#handling.end(nodeId, bytes);
      this.#reply(process, id, outcome);
    });
  }

  #reply(process: PeerProcess, id: number, outcome: Uint8Array): void {
    const lost = this.#closed || process.links.length === 0;
    if (lost || process.batch.bytes + outcome.length > MAX_WAITING_BYTES) return;
    process.batch.reply(id, outcome);
    this.#due.add(process);
    this.#schedule();
  }

  /** What waited for any process of the node goes to this one. */
  #opened(process: PeerProcess): void {
    const waiting = this.#waiting.get(process.nodeId);
    if (waiting !== undefined) {
      this.#waiting.delete(process.nodeId);
      process.batch.takeOver(waiting, (id) => this.#renumber(id));
      this.#pending.assign(process.nodeId, process);
    }
    this.#due.add(process);
    this.#schedule();
  }

  /** LINK-6: an id above all that were sealed before; undefined for a request that does not wait any more. */
  #renumber(id: number): number | undefined {
    const fresh = this.#nextId;
    if (!this.#pending.renumber(id, fresh)) return undefined;
    this.#nextId += 1;
    return fresh;
  }

  /** LINK-6: no reply may come any more from where nobody listens. */
  #absent(nodeId: string, instance: string | undefined): void {
    this.#drop(nodeId, instance, (request) =>
      request.named
        ? new SymmetraError('INSTANCE_GONE', 'the node has no such process', { node: nodeId })
        : unreachable(nodeId, 'the node is not on the bus'),
    );
  }

  /** LINK-8: the link did not come about. */
  #failed(nodeId: string, instance: string | undefined): void {
    this.#drop(nodeId, instance, () => unreachable(nodeId, 'the node did not take up the link'));
  }

  #drop(
    nodeId: string,
    instance: string | undefined,
    error: (request: PendingRequest) => SymmetraError,
  ): void {
    const process = instance === undefined ? undefined : this.#links.find(nodeId, instance);
    if (instance === undefined) this.#waiting.delete(nodeId);
    else process?.batch.clear();
    this.#pending.fail((request) => request.node === nodeId && request.process?.instance === instance, error);
  }

  /** LINK-6, LINK-7: nothing comes from the process any more. */
  #gone(process: PeerProcess): void {
    this.#due.delete(process);
    this.#pending.fail(
      (request) => request.process === process,
      ({ named, node }) =>
        named
          ? new SymmetraError('INSTANCE_GONE', 'the process has left the bus', { node })
          : unreachable(node, 'the process of the node has left the bus'),
    );
  }

  /** LINK-6: a process that was silent since the request was made may have lost the link: another one is opened beside it. */
  #silent({ process, madeAt }: PendingRequest): void {
    if (process === undefined || process.heardAt >= madeAt) return;
    this.#links.open(process.nodeId, process.instance);
  }
}

function unreachable(node: string, message: string): SymmetraError {
  return new SymmetraError('NODE_UNREACHABLE', message, { node });
}

function busy(message: string, node: string): SymmetraError {
  return new SymmetraError('BUS_BUSY', message, { node });
}
