import { SymmetraError } from '@symmetra/crypto';
import { NodeClient } from '@symmetra/rpc';

/** The connections of one device of a test. */
export class NodeClients {
  readonly #addressOf: (nodeId: string) => string;
  readonly #clients = new Map<string, NodeClient>();

  constructor(addressOf: (nodeId: string) => string) {
    this.#addressOf = addressOf;
  }

  of(nodeId: string): NodeClient {
    const address = this.#addressOf(nodeId);
    const client = this.#clients.get(nodeId) ?? new NodeClient(address);
    this.#clients.set(nodeId, client);
    return client;
  }

  /** A connection that failed pauses before it is made again: a node that was down is dialled anew. */
  async dialled<Reply>(nodeId: string, ask: (client: NodeClient) => Promise<Reply>): Promise<Reply> {
    const client = this.of(nodeId);
    try {
      return await ask(client);
    } catch (error) {
      if (!(error instanceof SymmetraError) || error.code !== 'NODE_UNREACHABLE') throw error;
      client.close();
      this.#clients.delete(nodeId);
      return ask(this.of(nodeId));
    }
  }

  close(): void {
    for (const client of this.#clients.values()) client.close();
  }
}
