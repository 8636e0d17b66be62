import { fromHex } from '@symmetra/crypto';
import type { GroupHeader } from '@symmetra/protocol';
import type { Logger } from '@symmetra/runtime';
import { fractionOf, pauseMs } from '../backoff.js';
import { codeOf, mostTelling } from '../failure.js';
import type { DeviceRandomness } from '../randomness.js';
import type { Connection } from '../session/connection.js';
import type { DeviceState } from '../state/device-state.js';
import type { Timers } from '../timers.js';
import { isGone } from './group-base.js';

const LEAVE = '/symmetra.group.v1.GroupService/Leave';
const PREFIX = 'group-left/';
const RETRY = { firstMs: 500, maxMs: 60_000 };
/** After these nobody is told again: it is no node of the network any more, or every node has this device out. */
const OVER = new Set(['NODE_UNKNOWN', 'DEVICE_REVOKED']);

/** Row `group-left/<group id>`: a group that this device left, until all of its nodes have heard of it. */
interface LeftGroup {
  /** The newest epoch that it held. */
  readonly epoch: number;
  /** Nodes that have not heard of it. */
  readonly nodes: readonly string[];
}

/** What leaving needs. */
export interface LeavesParts {
  readonly state: Pick<DeviceState, 'list' | 'commit'>;
  readonly connection: () => Pick<Connection, 'call'>;
  readonly random: Pick<DeviceRandomness, 'bytes'>;
  readonly timers: Timers;
  readonly logger: Logger;
}

/** GRP-10: tells every node of a group that this device leaves it, those that are away as soon as they are back. */
export class Leaves {
  readonly #parts: LeavesParts;
  readonly #left = new Map<string, LeftGroup>();

  constructor(parts: LeavesParts) {
    this.#parts = parts;
  }

  /** Tells all nodes; what is left to do is stored, and goes on by itself. @throws why fewer than k took it */
  async begin(
    name: string,
    { epoch, nodes, threshold }: Pick<GroupHeader, 'epoch' | 'nodes' | 'threshold'>,
  ): Promise<void> {
    const told = await Promise.allSettled(nodes.map(async (nodeId) => this.#leave(name, nodeId)));
    const failures = told.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
    if (nodes.length - failures.length < threshold) throw mostTelling(failures);
    if (failures.length === 0) return;
    const left = { epoch, nodes: nodes.filter((_, i) => told[i]?.status === 'rejected') };
    await this.#parts.state.commit([{ key: PREFIX + name, value: left }]);
    this.#goOn(name, left);
  }

  /** Goes on with what earlier processes left to do. */
  async resume(): Promise<void> {
    for (const { name, value } of await this.#parts.state.list<LeftGroup>(PREFIX)) {
      if (!this.#left.has(name)) this.#goOn(name, value);
    }
  }

  /** An epoch is held. When somebody was removed since this device left, it is in the group anew: nobody is told any more. */
  async held(name: string, { barrier }: Pick<GroupHeader, 'barrier'>): Promise<void> {
    const left = this.#left.get(name);
    if (left !== undefined && barrier > left.epoch) await this.#end(name);
  }

  async #end(name: string): Promise<void> {
    this.#left.delete(name);
    await this.#parts.state.commit([{ key: PREFIX + name, value: null }]);
  }

  #goOn(name: string, left: LeftGroup): void {
    this.#left.set(name, left);
    const owed = new Set(left.nodes);
    for (const nodeId of left.nodes) {
      this.#tell(name, nodeId, left, owed).catch((error: unknown) => {
        this.#parts.logger.debug(
          { node: nodeId, code: codeOf(error) },
          'The device was closed before a node was told that it left a group.',
        );
      });
    }
  }

  async #tell(name: string, nodeId: string, left: LeftGroup, owed: Set<string>): Promise<void> {
    const { timers, random } = this.#parts;
    for (let attempt = 0; ; attempt++) {
      await timers.sleep(pauseMs(RETRY, attempt, fractionOf(random.bytes)));
      if (this.#left.get(name) !== left) return;
      if (await this.#tellOnce(name, nodeId)) break;
    }
    owed.delete(nodeId);
    if (owed.size === 0 && this.#left.get(name) === left) await this.#end(name);
  }

  /** @returns whether the node need not be told again */
  async #tellOnce(name: string, nodeId: string): Promise<boolean> {
    try {
      await this.#leave(name, nodeId);
      return true;
    } catch (error) {
      const code = codeOf(error);
      this.#parts.logger.debug({ node: nodeId, code }, 'A node was not told that the device left a group.');
      return OVER.has(code);
    }
  }

  /** A node that has this device in the group no more is content. */
  async #leave(name: string, nodeId: string): Promise<void> {
    try {
      await this.#parts.connection().call(nodeId, LEAVE, { groupId: fromHex(name) });
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }
}
