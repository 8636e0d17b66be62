import { SymmetraError } from '@symmetra/crypto';
import type { Descriptor } from '@symmetra/protocol';
import type { NodeConnection } from '@symmetra/rpc';
import { isTransportFailure, mostTelling } from '../failure.js';
import type { DevicePorts } from '../ports.js';

const DEADLINE_MS = 8000;

/** One way to ask a node something. */
interface Route {
  readonly client: NodeConnection;
  /** What the request names as its node: empty for the node that is called itself. */
  readonly node: string;
}

/**
 * The ways to the nodes: each by its own addresses, and through every other node. Calls outside sessions are secure
 * end to end, and what a relay says about them is believed only when no better way is left.
 */
export class NodeRoutes {
  readonly #connect: DevicePorts['connect'];
  readonly #spread: number;
  readonly #clients = new Map<string, NodeConnection>();
  #descriptor: Descriptor | undefined;
  #preferred: string | undefined;

  /** @param spread any number of the device's own: devices spread over the addresses of a node by it */
  constructor(connect: DevicePorts['connect'], spread: number) {
    this.#connect = connect;
    this.#spread = spread;
  }

  /** The descriptor whose addresses are used from now on. */
  use(descriptor: Descriptor): void {
    this.#descriptor = descriptor;
    const known = new Set(descriptor.nodes.flatMap((node) => node.addresses));
    for (const [address, client] of this.#clients) {
      if (known.has(address)) continue;
      client.close();
      this.#clients.delete(address);
    }
  }

  /** The node that is asked first, since a connection to it stands; undefined for none. */
  prefer(nodeId: string | undefined): void {
    this.#preferred = nodeId;
  }

  /** The connection to an address, host:port. */
  client(address: string): NodeConnection {
    const known = this.#clients.get(address);
    if (known !== undefined) return known;
    const client = this.#connect(address, { deadlineMs: DEADLINE_MS });
    this.#clients.set(address, client);
    return client;
  }

  /** The addresses of a node, in the order in which this device tries them. @throws NODE_UNKNOWN, NODE_UNREACHABLE when it has none */
  addresses(nodeId: string): readonly string[] {
    const addresses = this.#nodes().find((node) => node.id === nodeId)?.addresses;
    if (addresses === undefined) {
      throw new SymmetraError('NODE_UNKNOWN', 'the descriptor names no such node', { node: nodeId });
    }
    const first = this.#spread % Math.max(1, addresses.length);
    return [...addresses.slice(first), ...addresses.slice(0, first)];
  }

  /**
   * Asks a node, by one route after the other.
   * @throws what the node itself said, or else the most telling failure of a route
   */
  async call<T>(nodeId: string, send: (client: NodeConnection, node: string) => Promise<T>): Promise<T> {
    const failures: unknown[] = [];
    for (const route of this.#routes(nodeId)) {
      try {
        return await send(route.client, route.node);
      } catch (error) {
        if (route.node === '' && !isTransportFailure(error)) throw error;
        failures.push(error);
      }
    }
    throw mostTelling(failures);
  }

  /** Ends every connection. */
  close(): void {
    for (const client of this.#clients.values()) client.close();
    this.#clients.clear();
  }

  #routes(nodeId: string): readonly Route[] {
    const direct = this.addresses(nodeId).map((address) => ({ client: this.client(address), node: '' }));
    const relays = this.#nodes()
      .filter((node) => node.id !== nodeId)
      .flatMap((node) => node.addresses.slice(0, 1).map((address) => ({ id: node.id, address })))
      .map(({ id, address }) => ({ id, client: this.client(address), node: nodeId }));
    const preferred = relays.filter((relay) => relay.id === this.#preferred);
    return [...preferred, ...direct, ...relays.filter((relay) => relay.id !== this.#preferred)];
  }

  #nodes(): Descriptor['nodes'] {
    return this.#descriptor?.nodes ?? [];
  }
}
