import { wipe } from '@symmetra/crypto';
import { decodeState, encodeState } from '@symmetra/protocol';
import type { Store } from '@symmetra/storage';
import { stateError } from './state-directory.js';

/** One row to write, or to delete with `null`. */
export interface RowChange {
  readonly key: string;
  readonly value: object | null;
}

/** A row with the rest of its key behind the prefix. */
export interface NamedRow<Value> {
  readonly name: string;
  readonly value: Value;
}

/*
 * The rows of a device:
 *
 *   device                        who it is, where it enrolled
 *   descriptor                    the newest descriptor that it verified
 *   policy                        the newest policy that it verified, and its revision
 *   clock                         how far the nodes' clocks are from its own
 *   enrolment/<node>              an enrolment under way
 *   chain/<node>                  the ATK chain
 *   run/<key id>                  a negotiation that this device began and that is not finished
 *   response/<key id>             a negotiation that it answered and that is not confirmed
 *   key/<key id>                  a key
 *   ended/<key id>                a key id that is used up
 *   continuity-initiator/<peer>   what it offers to a peer
 *   continuity-responder/<peer>/<number>   what it holds of a peer, oldest first
 *   group/<group id>              what it holds of a group: keys of epochs, its paths in the nodes' trees
 *   group-deal/<group id>         a deal that it sends to the nodes
 *   group-left/<group id>         a group that it left, and which nodes have not heard of it
 *   group-counter/<group id>/<epoch id>           a bound of the counters of its own messages
 *   group-window/<group id>/<epoch id>/<sender>   which messages of a sender it took
 */

/** The rows of one device, whole commits at a time. */
export class DeviceState {
  readonly #store: Store;
  /** By key: what was insisted on, and is not durable yet. */
  readonly #owed = new Map<string, RowChange>();

  constructor(store: Store) {
    this.#store = store;
  }

  async read<Value>(key: string): Promise<Value | undefined> {
    try {
      const row = await this.#store.get(key);
      if (row === undefined) return undefined;
      const value = decodeState<Value>(row.value);
      wipe(row.value);
      return value;
    } catch (error) {
      throw stateError(error);
    }
  }

  /** The rows whose keys begin with the prefix, ascending. */
  async list<Value>(prefix: string): Promise<readonly NamedRow<Value>[]> {
    try {
      const rows = await this.#store.scan(prefix);
      return rows.map(({ key, row }) => {
        const value = decodeState<Value>(row.value);
        wipe(row.value);
        return { name: key.slice(prefix.length), value };
      });
    } catch (error) {
      throw stateError(error);
    }
  }

  /** Makes all changes durable, or none, and with them what is still owed. @throws DISK_FULL */
  async commit(changes: readonly RowChange[]): Promise<void> {
    const own = new Set(changes.map(({ key }) => key));
    const owed = [...this.#owed.values()];
    const all = [...owed.filter(({ key }) => !own.has(key)), ...changes];
    const encoded = all.map(({ key, value }) => ({ key, value: value && encodeState(value) }));
    try {
      await this.#store.commit(encoded);
      for (const change of owed) if (this.#owed.get(change.key) === change) this.#owed.delete(change.key);
    } catch (error) {
      throw stateError(error);
    } finally {
      for (const { value } of encoded) value?.fill(0);
    }
  }

  /**
   * Makes changes that are not taken back: secrets that must go, key ids that are used up. When there is no room for them
   * now, they are part of every later commit until one succeeds. @throws DISK_FULL
   */
  async insist(changes: readonly RowChange[]): Promise<void> {
    for (const change of changes) this.#owed.set(change.key, change);
    await this.commit([]);
  }
}
