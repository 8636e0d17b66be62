import type { Msg, PublishOptions, Subscription } from 'nats';
import { MAX_MESSAGE_BYTES } from './nats-connection.js';
import type { NatsConnection } from './nats-connection.js';
import { NatsNames, checkNodeId } from './nats-names.js';
import type { Wire, WireAddress } from './wire.js';

/** What the server sends to the reply subject of a message that nobody received. */
const NO_RESPONDERS = 503;
/** What may be on its way to the server without its having said that it arrived. */
const MAX_UNCONFIRMED_BYTES = 32 * 1024 * 1024;
/** How often the server is asked whether it arrived. */
const CONFIRM_BYTES = 1024 * 1024;
/** Addresses whose subjects are remembered: processes come and go. */
const MAX_ROUTES = 1024;

/** Where this process is. */
export interface NatsWireOptions {
  readonly networkIdHex: string;
  readonly node: string;
  /** 8 lower-case hexadecimal characters. */
  readonly instance: string;
  /** It hears only what is for this process, and nothing that is for any process of its node. */
  readonly isGuest?: boolean;
}

interface Route {
  readonly subject: string;
  readonly options: PublishOptions;
}

/**
 * Datagrams over the core of NATS. What is sent while there is no connection is lost, and so is what a server does not
 * take in time: nobody waits for old datagrams, and they would cost memory.
 */
export class NatsWire implements Wire {
  readonly address: Required<WireAddress>;
  readonly maxDatagramBytes = MAX_MESSAGE_BYTES;
  readonly #connection: NatsConnection;
  readonly #names: NatsNames;
  readonly #isGuest: boolean;
  readonly #routes = new Map<string, Route>();
  #subscriptions: readonly Subscription[] = [];
  #unconfirmedBytes = 0;
  #unaskedBytes = 0;
  #closed = false;

  /** @throws SymmetraError NODE_ID_UNUSABLE */
  constructor(
    connection: NatsConnection,
    { networkIdHex, node, instance, isGuest = false }: NatsWireOptions,
  ) {
    checkNodeId(node);
    this.#connection = connection;
    this.#names = new NatsNames(networkIdHex);
    this.#isGuest = isGuest;
    this.address = { node, instance };
  }

  /** @throws SymmetraError NODE_ID_UNUSABLE */
  send(to: WireAddress, datagram: Uint8Array): void {
    const route = this.#route(to);
    const { length } = datagram;
    if (this.#closed || !this.#connection.connected || length > MAX_MESSAGE_BYTES) return;
    if (this.#unconfirmedBytes > MAX_UNCONFIRMED_BYTES) return;
    try {
      this.#connection.core.publish(route.subject, datagram, route.options);
    } catch {
      return;
    }
    this.#unaskedBytes += length;
    this.#unconfirmedBytes += length;
    if (this.#unaskedBytes >= CONFIRM_BYTES) void this.#confirm();
  }

  listen(onDatagram: (datagram: Uint8Array) => void, onAbsent: (to: WireAddress) => void): void {
    const { core } = this.#connection;
    const { node, instance } = this.address;
    const receive = this.#guarded((message) => onDatagram(message.data));
    const miss = this.#guarded((message) => {
      if (message.headers?.code !== NO_RESPONDERS) return;
      const to = this.#names.absentee(message.subject);
      if (to !== undefined) onAbsent(to);
    });
    this.#subscriptions = [
      core.subscribe(this.#names.absences(this.address), { callback: miss }),
      core.subscribe(this.#names.address({ node, instance }), { callback: receive }),
      ...(this.#isGuest
        ? []
        : [core.subscribe(this.#names.address({ node }), { queue: node, callback: receive })]),
    ];
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const { core, connected } = this.#connection;
    if (core.isClosed()) return;
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    if (connected) await core.flush().catch(() => undefined);
  }

  /** What throws inside a callback would end the connection. */
  #guarded(take: (message: Msg) => void): (refusal: Error | null, message: Msg) => void {
    return (refusal, message) => {
      if (refusal !== null || this.#closed) return;
      try {
        take(message);
      } catch (error) {
        this.#connection.failed(error);
      }
    };
  }

  #route(to: WireAddress): Route {
    const key = to.instance === undefined ? to.node : `${to.node}.${to.instance}`;
    const known = this.#routes.get(key);
    if (known !== undefined) return known;
    checkNodeId(to.node);
    const subject = this.#names.address(to);
    const route = { subject, options: { reply: this.#names.absent(this.address, to) } };
    if (this.#routes.size >= MAX_ROUTES) this.#routes.clear();
    this.#routes.set(key, route);
    return route;
  }

  async #confirm(): Promise<void> {
    const bytes = this.#unaskedBytes;
    this.#unaskedBytes = 0;
    // When the connection breaks, what was on its way is forgotten with it.
    await this.#connection.core.flush().catch(() => undefined);
    this.#unconfirmedBytes -= bytes;
  }
}
