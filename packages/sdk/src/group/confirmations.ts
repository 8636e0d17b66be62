import { toHex } from '@symmetra/crypto';
import type { Logger } from '@symmetra/runtime';
import { fractionOf, pauseMs } from '../backoff.js';
import { codeOf, isTransportFailure } from '../failure.js';
import type { DeviceRandomness } from '../randomness.js';
import type { Connection } from '../session/connection.js';
import type { Timers } from '../timers.js';

const CONFIRM = '/symmetra.group.v1.GroupService/Confirm';
const RETRY = { firstMs: 500, maxMs: 15_000 };
/** A node that was not told by then brings a welcome again, and is told with that. */
const MAX_ATTEMPTS = 6;

interface Confirmed {
  readonly groupId: Uint8Array;
  readonly epochId: Uint8Array;
}

/** What confirming needs. */
export interface ConfirmationParts {
  readonly connection: () => Pick<Connection, 'call'>;
  readonly random: Pick<DeviceRandomness, 'bytes'>;
  readonly timers: Timers;
  readonly logger: Logger;
}

/** GRP-9: tells each node of the set, once, that this device holds an epoch. */
export class Confirmations {
  readonly #parts: ConfirmationParts;
  /** The newest epoch that a node is being told of, by group and node. */
  readonly #latest = new Map<string, Confirmed>();

  constructor(parts: ConfirmationParts) {
    this.#parts = parts;
  }

  confirm(groupId: Uint8Array, epochId: Uint8Array, nodeIds: readonly string[]): void {
    for (const nodeId of nodeIds) {
      const name = `${toHex(groupId)}/${nodeId}`;
      const isTelling = this.#latest.has(name);
      this.#latest.set(name, { groupId, epochId });
      if (!isTelling) void this.#tell(name, nodeId);
    }
  }

  async #tell(name: string, nodeId: string): Promise<void> {
    const { timers, random } = this.#parts;
    try {
      for (let attempt = 1; ; attempt++) {
        const telling = this.#latest.get(name);
        if (telling === undefined) return;
        const over = (await this.#tellOnce(nodeId, telling)) || attempt === MAX_ATTEMPTS;
        if (this.#latest.get(name) !== telling) attempt = 0;
        else if (over) return;
        else await timers.sleep(pauseMs(RETRY, attempt - 1, fractionOf(random.bytes)));
      }
    } catch (error) {
      this.#parts.logger.debug(
        { node: nodeId, code: codeOf(error) },
        'The device was closed before a node was told.',
      );
    } finally {
      this.#latest.delete(name);
    }
  }

  /** @returns whether the node has answered */
  async #tellOnce(nodeId: string, telling: Confirmed): Promise<boolean> {
    const { connection, logger } = this.#parts;
    try {
      await connection().call(nodeId, CONFIRM, telling);
      return true;
    } catch (error) {
      logger.debug({ node: nodeId, code: codeOf(error) }, 'An epoch was not confirmed to a node.');
      return !isTransportFailure(error);
    }
  }
}
