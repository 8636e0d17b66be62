import type { Logger } from '@symmetra/runtime';
import { codeOf, isTransportFailure } from '../failure.js';
import type { Connection } from '../session/connection.js';

const ACKNOWLEDGE = '/symmetra.pairwise.v1.PairwiseService/Acknowledge';
const MAX_KEY_IDS = 256;

/** Tells nodes that shares may be erased (PAIR-6): what comes up in one turn goes to each node in one call. */
export class Acknowledger {
  readonly #connection: () => Connection;
  readonly #logger: Logger;
  readonly #waiting = new Map<string, Uint8Array[]>();
  #scheduled: NodeJS.Immediate | undefined;

  constructor(connection: () => Connection, logger: Logger) {
    this.#connection = connection;
    this.#logger = logger;
  }

  add(nodeId: string, keyId: Uint8Array): void {
    const waiting = this.#waiting.get(nodeId) ?? [];
    waiting.push(keyId);
    this.#waiting.set(nodeId, waiting);
    this.#scheduled ??= setImmediate(() => this.#flush());
  }

  close(): void {
    clearImmediate(this.#scheduled);
    this.#waiting.clear();
  }

  #flush(): void {
    this.#scheduled = undefined;
    for (const [nodeId, keyIds] of this.#waiting) {
      for (let at = 0; at < keyIds.length; at += MAX_KEY_IDS) {
        void this.#send(nodeId, keyIds.slice(at, at + MAX_KEY_IDS));
      }
    }
    this.#waiting.clear();
  }

  /** A node that was not told delivers again, and is told then. */
  async #send(nodeId: string, keyIds: Uint8Array[]): Promise<void> {
    try {
      await this.#connection().call(nodeId, ACKNOWLEDGE, { keyIds });
    } catch (error) {
      const fields = { node: nodeId, count: keyIds.length, code: codeOf(error) };
      if (isTransportFailure(error)) this.#logger.debug(fields, 'An acknowledgement did not reach a node.');
      else this.#logger.warn(fields, 'A node refused an acknowledgement.');
    }
  }
}
