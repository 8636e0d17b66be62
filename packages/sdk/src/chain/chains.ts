import { SymmetraError } from '@symmetra/crypto';
import { newestKeys } from '@symmetra/protocol';
import type { DeviceChain } from '@symmetra/protocol';
import { Lane } from '../lane.js';
import type { DeviceState, RowChange } from '../state/device-state.js';
import type { ChainRecord } from '../state/records.js';
import { wipeSecrets } from '../state/wipe-secrets.js';

const PREFIX = 'chain/';

/** Chains that were dropped. */
export interface DroppedChains {
  readonly rows: readonly RowChange[];
  /** The rows are gone. */
  erase(): void;
  /** The rows could not be removed. */
  restore(): void;
}

/** The ATK chains of a device, one per node at which it is enrolled. */
export class Chains {
  readonly #state: DeviceState;
  readonly #records = new Map<string, ChainRecord>();
  readonly #lanes = new Map<string, Lane>();

  private constructor(state: DeviceState) {
    this.#state = state;
  }

  static async load(state: DeviceState): Promise<Chains> {
    const chains = new Chains(state);
    for (const { name, value } of await state.list<ChainRecord>(PREFIX)) chains.#records.set(name, value);
    return chains;
  }

  /** The nodes at which the device has a chain. */
  nodes(): readonly string[] {
    return [...this.#records.keys()];
  }

  /** The nodes at which the device has left epoch 0, and so can open sessions. */
  ready(): readonly string[] {
    return this.nodes().filter((nodeId) => newestKeys(this.get(nodeId)).epoch > 0);
  }

  /** @throws NOT_ENROLLED */
  get(nodeId: string): DeviceChain {
    return this.record(nodeId).chain;
  }

  /** @throws NOT_ENROLLED */
  record(nodeId: string): ChainRecord {
    const record = this.#records.get(nodeId);
    if (record === undefined) throw notEnrolled(nodeId);
    return record;
  }

  /** Runs one task at a time on the chain with a node. */
  async exclusively<T>(nodeId: string, task: () => Promise<T>): Promise<T> {
    const lane = this.#lanes.get(nodeId) ?? new Lane();
    this.#lanes.set(nodeId, lane);
    return lane.run(task);
  }

  /** Makes a new chain durable, together with other rows; then wipes what it consumed. */
  async begin(
    nodeId: string,
    step: { readonly state: DeviceChain; readonly consumed: readonly { wipe(): void }[] },
    others: readonly RowChange[],
  ): Promise<void> {
    await this.exclusively(nodeId, async () => {
      const record: ChainRecord = { chain: step.state, steppedMs: 0 };
      await this.#state.commit([{ key: PREFIX + nodeId, value: record }, ...others]);
      this.#records.set(nodeId, record);
      for (const secret of step.consumed) secret.wipe();
    });
  }

  /**
   * Drops chains from memory; `rows` are to go in one commit with what makes them void. Work on such a chain that is
   * under way fails with NOT_ENROLLED.
   */
  drop(nodeIds: readonly string[]): DroppedChains {
    const records = nodeIds.flatMap((nodeId) => {
      const record = this.#records.get(nodeId);
      this.#records.delete(nodeId);
      return record === undefined ? [] : [{ nodeId, record }];
    });
    return {
      rows: records.map(({ nodeId }) => ({ key: PREFIX + nodeId, value: null })),
      erase: () => wipeSecrets(records),
      restore: () => {
        for (const { nodeId, record } of records) this.#records.set(nodeId, record);
      },
    };
  }

  /** Makes a new state of a chain durable; then wipes what it consumed. @throws NOT_ENROLLED when it was dropped */
  async save(
    nodeId: string,
    step: { readonly state: DeviceChain; readonly consumed: readonly { wipe(): void }[] },
    steppedMs: number = this.#records.get(nodeId)?.steppedMs ?? 0,
  ): Promise<void> {
    const before = this.record(nodeId);
    const record: ChainRecord = { chain: step.state, steppedMs };
    await this.#state.commit([{ key: PREFIX + nodeId, value: record }]);
    if (this.#records.get(nodeId) !== before) throw notEnrolled(nodeId);
    this.#records.set(nodeId, record);
    for (const secret of step.consumed) secret.wipe();
  }
}

function notEnrolled(nodeId: string): SymmetraError {
  return new SymmetraError('NOT_ENROLLED', 'the device is not enrolled at this node', { node: nodeId });
}
