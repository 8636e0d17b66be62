import { SymmetraError } from '@symmetra/crypto';
import { INSTANCE_CHARS, MAX_PAYLOAD_BYTES } from './bus.js';
import type { Bus, BusHandler, RequestOptions } from './bus.js';
import { decodeOutcome, encodeFailure, encodeReply } from './outcome.js';

/** The part of the injected clock that the bus uses. */
export interface BusClock {
  /** Calls back once, not before `ms` milliseconds, unless it is cancelled before. */
  setTimer(ms: number, callback: () => void): { cancel(): void };
}

/** What the network of one process needs. */
export interface InProcessNetworkOptions {
  readonly clock: BusClock;
  /** Told of handlers that failed with anything but a SymmetraError; the requester learns only INTERNAL. */
  readonly onFailure?: (subject: string, error: unknown) => void;
}

interface Pending {
  readonly to: string;
  readonly settle: (outcome: Uint8Array | SymmetraError) => void;
}

/** Joins nodes of one process. Payloads are copied, so that no two nodes share memory. */
export class InProcessNetwork {
  readonly #options: InProcessNetworkOptions;
  readonly #nodes = new Map<string, InProcessBus>();
  #joined = 0;

  constructor(options: InProcessNetworkOptions) {
    this.#options = options;
  }

  /** The bus of a node, which is one process here; whenever it joins it is another one. @throws SymmetraError NODE_ID_TAKEN while another one has the id. */
  join(nodeId: string): Bus {
    if (this.#nodes.has(nodeId)) {
      throw new SymmetraError('NODE_ID_TAKEN', 'the node is on the bus already', { node: nodeId });
    }
    this.#joined += 1;
    const instance = this.#joined.toString(16).padStart(INSTANCE_CHARS, '0');
    const bus = new InProcessBus(nodeId, instance, this.#nodes, this.#options);
    this.#nodes.set(nodeId, bus);
    return bus;
  }
}

class InProcessBus implements Bus {
  readonly self: string;
  readonly instance: string;
  readonly #nodes: Map<string, InProcessBus>;
  readonly #options: InProcessNetworkOptions;
  readonly #handlers = new Map<string, BusHandler>();
  readonly #pending = new Set<Pending>();
  #closed = false;

  constructor(
    self: string,
    instance: string,
    nodes: Map<string, InProcessBus>,
    options: InProcessNetworkOptions,
  ) {
    this.self = self;
    this.instance = instance;
    this.#nodes = nodes;
    this.#options = options;
  }

  async request(
    to: string,
    subject: string,
    payload: Uint8Array,
    options: RequestOptions,
  ): Promise<Uint8Array> {
    if (this.#closed) throw unreachable(this.self, 'this node has left the bus');
    checkPayload(payload);
    const target = this.#nodes.get(to);
    if (target === undefined) throw unreachable(to, 'the node is not on the bus');
    if (options.instance !== undefined && options.instance !== target.instance) {
      throw new SymmetraError('INSTANCE_GONE', 'the node has no such process', { node: to });
    }
    const copy = payload.slice();
    const outcome = await new Promise<Uint8Array>((resolve, reject) => {
      const timer = this.#options.clock.setTimer(options.timeoutMs, () => {
        const details = { node: to, subject, timeoutMs: options.timeoutMs };
        pending.settle(new SymmetraError('BUS_TIMEOUT', 'the node did not reply in time', details));
      });
      const pending: Pending = {
        to,
        settle: (result) => {
          if (!this.#pending.delete(pending)) return;
          timer.cancel();
          if (result instanceof SymmetraError) reject(result);
          else resolve(result);
        },
      };
      this.#pending.add(pending);
      setImmediate(() => void target.#receive(this.self, subject, copy, pending));
    });
    return decodeOutcome(outcome);
  }

  serve(subject: string, handler: BusHandler): void {
    if (this.#handlers.has(subject)) {
      throw new SymmetraError('SUBJECT_TAKEN', 'the subject has a handler already', { subject });
    }
    this.#handlers.set(subject, handler);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#nodes.delete(this.self);
    for (const pending of this.#pending) pending.settle(unreachable(this.self, 'this node has left the bus'));
    for (const node of this.#nodes.values()) node.#forget(this.self);
  }

  #forget(nodeId: string): void {
    for (const pending of this.#pending) {
      if (pending.to === nodeId) pending.settle(unreachable(nodeId, 'the node has left the bus'));
    }
  }

  async #receive(from: string, subject: string, payload: Uint8Array, pending: Pending): Promise<void> {
    if (this.#closed) return;
    const outcome = await this.#answer(from, subject, payload);
    if (this.#closed) return;
    setImmediate(() => pending.settle(outcome));
  }

  async #answer(from: string, subject: string, payload: Uint8Array): Promise<Uint8Array> {
    const handler = this.#handlers.get(subject);
    if (handler === undefined) {
      const details = { node: this.self, subject };
      return encodeFailure(new SymmetraError('NO_HANDLER', 'the node does not serve the subject', details));
    }
    try {
      const reply = await handler(from, payload);
      checkPayload(reply);
      return encodeReply(reply);
    } catch (error) {
      if (!(error instanceof SymmetraError)) this.#options.onFailure?.(subject, error);
      return encodeFailure(error);
    }
  }
}

function checkPayload(payload: Uint8Array): void {
  if (payload.length <= MAX_PAYLOAD_BYTES) return;
  throw new SymmetraError('MESSAGE_TOO_LARGE', 'the payload is longer than the bus carries', {
    bytes: payload.length,
    maxBytes: MAX_PAYLOAD_BYTES,
  });
}

function unreachable(node: string, message: string): SymmetraError {
  return new SymmetraError('NODE_UNREACHABLE', message, { node });
}
