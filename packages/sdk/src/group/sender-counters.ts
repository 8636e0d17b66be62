import { toHex } from '@symmetra/crypto';
import { MessageCounter, messageLimit } from '@symmetra/protocol';
import type { HeldEpoch } from '@symmetra/protocol';
import { Lane } from '../lane.js';
import type { DeviceState, RowChange } from '../state/device-state.js';

const PREFIX = 'group-counter/';

interface CounterRecord {
  /** Counters below it may have been used. */
  readonly bound: number;
}

/** GRP-12: the counters of this device's own messages, by epoch: reserved in the store before they are used. */
export class SenderCounters {
  readonly #state: DeviceState;
  readonly #counters = new Map<string, MessageCounter>();
  readonly #lane = new Lane();

  private constructor(state: DeviceState) {
    this.#state = state;
  }

  static async load(state: DeviceState): Promise<SenderCounters> {
    const counters = new SenderCounters(state);
    for (const { name, value } of await state.list<CounterRecord>(PREFIX)) {
      counters.#counters.set(name, new MessageCounter(value.bound));
    }
    return counters;
  }

  /** The next counter under an epoch; undefined when all are used. */
  async take(epoch: HeldEpoch): Promise<number | undefined> {
    const name = nameOf(epoch);
    return this.#lane.run(async () => {
      const counter = this.#counters.get(name) ?? new MessageCounter(0);
      this.#counters.set(name, counter);
      const taken = counter.take(messageLimit(epoch));
      if (taken?.store === undefined) return taken?.counter;
      try {
        await this.#state.commit([rowOf(name, taken.store)]);
        return taken.counter;
      } catch (error) {
        // What is not stored is not reserved.
        this.#counters.set(name, new MessageCounter(taken.counter));
        throw error;
      }
    });
  }

  /** Forgets the counters of epochs that are held no more. */
  async keepOnly(isHeld: (name: string) => boolean): Promise<void> {
    await this.#lane.run(async () => {
      const over = [...this.#counters.keys()].filter((name) => !isHeld(name));
      if (over.length === 0) return;
      await this.#state.commit(over.map((name) => ({ key: PREFIX + name, value: null })));
      for (const name of over) this.#counters.delete(name);
    });
  }

  /** Stores where the counters stand, so that none is lost. */
  async close(): Promise<void> {
    await this.#lane.run(async () =>
      this.#state.commit(Array.from(this.#counters, ([name, counter]) => rowOf(name, counter.finish()))),
    );
  }
}

/** Group and epoch id of an epoch, as rows are named. */
export function nameOf({ header, epochId }: Pick<HeldEpoch, 'header' | 'epochId'>): string {
  return `${toHex(header.groupId)}/${toHex(epochId)}`;
}

function rowOf(name: string, bound: number): RowChange {
  const value: CounterRecord = { bound };
  return { key: PREFIX + name, value };
}
