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
  readonly target: InProcessBus;
  readonly settle: (outcome: Uint8Array | SymmetraError) => void;
}

/** Joins nodes of one process. Payloads are copied, so that no two nodes share memory. */
export class InProcessNetwork {
  readonly #options: InProcessNetworkOptions;
  readonly #nodes: Processes = new Map();
  #joined = 0;

  constructor(options: InProcessNetworkOptions) {
    this.#options = options;
  }

  /**
   * The bus of a process of a node; whenever a node joins it is another process.
   * @param besides whether it joins beside other processes of the node, as a replica
   * @throws SymmetraError NODE_ID_TAKEN while another one has the id, and it does not join beside it
   */
  join(nodeId: string, besides = false): Bus {
    const others = this.#nodes.get(nodeId) ?? [];
    if (others.length > 0 && !besides) {
      throw new SymmetraError('NODE_ID_TAKEN', 'the node is on the bus already', { node: nodeId });
    }
    this.#joined += 1;
    const instance = this.#joined.toString(16).padStart(INSTANCE_CHARS, '0');
    const bus = new InProcessBus(nodeId, instance, this.#nodes, this.#options);
    this.#nodes.set(nodeId, [...others, bus]);
    return bus;
  }
}

/** By node: its processes, the oldest first. */
type Processes = Map<string, readonly InProcessBus[]>;

class InProcessBus implements Bus {
  readonly self: string;
  readonly instance: string;
  readonly #nodes: Processes;
  readonly #options: InProcessNetworkOptions;
  readonly #handlers = new Map<string, BusHandler>();
  readonly #pending = new Set<Pending>();
  #closed = false;

  constructor(self: string, instance: string, nodes: Processes, options: InProcessNetworkOptions) {
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
    const target = this.#target(to, options.instance);
    const copy = payload.slice();
    const outcome = await new Promise<Uint8Array>((resolve, reject) => {
      const timer = this.#options.clock.setTimer(options.timeoutMs, () => {
        const details = { node: to, subject, timeoutMs: options.timeoutMs };
        pending.settle(new SymmetraError('BUS_TIMEOUT', 'the node did not reply in time', details));
      });
      const pending: Pending = {
        target,
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
    const others = this.#processes(this.self).filter((process) => process !== this);
    if (others.length > 0) this.#nodes.set(this.self, others);
    else this.#nodes.delete(this.self);
    for (const pending of this.#pending) pending.settle(unreachable(this.self, 'this node has left the bus'));
    for (const process of [...this.#nodes.values()].flat()) process.#forget(this);
  }

  #processes(nodeId: string): readonly InProcessBus[] {
    return this.#nodes.get(nodeId) ?? [];
  }

  /** A request of a node to itself goes to the process that makes it, any other one to the newest process. @throws NODE_UNREACHABLE, INSTANCE_GONE */
  #target(to: string, instance: string | undefined): InProcessBus {
    const processes = this.#processes(to);
    const newest = processes.at(-1);
    if (newest === undefined) throw unreachable(to, 'the node is not on the bus');
    if (instance === undefined) return to === this.self ? this : newest;
    const named = processes.find((process) => process.instance === instance);
    if (named !== undefined) return named;
    throw new SymmetraError('INSTANCE_GONE', 'the node has no such process', { node: to });
  }

  #forget(gone: InProcessBus): void {
    for (const pending of this.#pending) {
      if (pending.target === gone) pending.settle(unreachable(gone.self, 'the node has left the bus'));
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
