import { toHex } from '@symmetra/crypto';
import type { DeviceState, RowChange } from '../state/device-state.js';
import type { EndedRecord, SentRefusal } from '../state/records.js';

const PREFIX = 'ended/';
/** Nodes keep a share for seven days at most; a day is left for clocks. */
const KEEP_MS = 8 * 24 * 3_600_000;

/** The key ids that are used up: nothing more is made of them, whatever arrives. */
export class EndedKeys {
  readonly #state: DeviceState;
  readonly #records = new Map<string, EndedRecord>();

  private constructor(state: DeviceState) {
    this.#state = state;
  }

  static async load(state: DeviceState): Promise<EndedKeys> {
    const ended = new EndedKeys(state);
    for (const { name, value } of await state.list<EndedRecord>(PREFIX)) ended.#records.set(name, value);
    return ended;
  }

  get(keyId: string): EndedRecord | undefined {
    return this.#records.get(keyId);
  }

  /** The keys that this device refused since then, node time. */
  refusedSince(sinceMs: number): readonly string[] {
    return [...this.#records].flatMap(([keyId, { refusal, untilMs }]) =>
      refusal !== undefined && untilMs - KEEP_MS >= sinceMs ? keyId : [],
    );
  }

  /** The row that ends a key id; to be committed with what else changes, and then given to {@link EndedKeys.adopt}. */
  end(keyId: Uint8Array, peer: Uint8Array, reason: string, nowMs: number, refusal?: SentRefusal): RowChange {
    const value: EndedRecord = {
      reason,
      peer,
      untilMs: nowMs + KEEP_MS,
      ...(refusal !== undefined && { refusal }),
    };
    return { key: PREFIX + toHex(keyId), value };
  }

  /** Takes note of rows that were committed. */
  adopt(changes: readonly RowChange[]): void {
    for (const { key, value } of changes) {
      if (value !== null && key.startsWith(PREFIX)) {
        this.#records.set(key.slice(PREFIX.length), value as EndedRecord);
      }
    }
  }

  /** Drops the rows that no node can ask for any longer. */
  async sweep(nowMs: number): Promise<void> {
    const old = [...this.#records].filter(([, record]) => record.untilMs <= nowMs).map(([keyId]) => keyId);
    if (old.length === 0) return;
    await this.#state.commit(old.map((keyId) => ({ key: PREFIX + keyId, value: null })));
    for (const keyId of old) this.#records.delete(keyId);
  }
}
