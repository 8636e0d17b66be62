import { fromHex, toHex } from '@symmetra/crypto';
import { SenderWindows } from '@symmetra/protocol';
import type { HeldEpoch } from '@symmetra/protocol';
import type { DeviceState } from '../state/device-state.js';
import { nameOf } from './sender-counters.js';

const PREFIX = 'group-window/';

interface WindowRecord {
  readonly window: Uint8Array;
}

/** GRP-12: which messages of each sender were taken, by epoch, over restarts. */
export class GroupWindows {
  readonly #state: DeviceState;
  /** The windows as they were stored, by epoch and sender. */
  readonly #stored = new Map<string, Map<string, Uint8Array>>();
  readonly #windows = new Map<string, SenderWindows>();

  private constructor(state: DeviceState) {
    this.#state = state;
  }

  static async load(state: DeviceState): Promise<GroupWindows> {
    const windows = new GroupWindows(state);
    for (const { name, value } of await state.list<WindowRecord>(PREFIX)) {
      const at = name.lastIndexOf('/');
      windows.#storedOf(name.slice(0, at)).set(name.slice(at + 1), value.window);
    }
    return windows;
  }

  /** What came under an epoch so far. */
  of(epoch: HeldEpoch): SenderWindows {
    const name = nameOf(epoch);
    const known = this.#windows.get(name);
    if (known !== undefined) return known;
    const windows = new SenderWindows(epoch.header.members);
    for (const [sender, window] of this.#storedOf(name)) windows.restore(fromHex(sender), window);
    this.#windows.set(name, windows);
    return windows;
  }

  /** Makes a window durable, as it has to be before its message is given on. */
  async store(epoch: HeldEpoch, sender: Uint8Array, window: Uint8Array): Promise<void> {
    const name = nameOf(epoch);
    try {
      await this.#state.commit([rowOf(name, toHex(sender), window)]);
      this.#storedOf(name).set(toHex(sender), window);
    } catch (error) {
      // What is not stored covers nothing.
      this.of(epoch).of(sender).finish();
      throw error;
    }
  }

  /** Forgets the windows of epochs that are held no more. */
  async keepOnly(isHeld: (name: string) => boolean): Promise<void> {
    for (const [name, stored] of this.#stored) {
      if (isHeld(name)) continue;
      this.#stored.delete(name);
      this.#windows.delete(name);
      const rows = Array.from(stored.keys(), (sender) => ({ key: keyOf(name, sender), value: null }));
      if (rows.length > 0) await this.#state.commit(rows);
    }
  }

  /** Stores the windows as they are, so that no message is refused after a restart in good order. */
  async close(): Promise<void> {
    const rows = [...this.#windows].flatMap(([name, windows]) =>
      windows.finish().map(({ sender, window }) => rowOf(name, toHex(sender), window)),
    );
    if (rows.length > 0) await this.#state.commit(rows);
  }

  #storedOf(name: string): Map<string, Uint8Array> {
    const stored = this.#stored.get(name) ?? new Map<string, Uint8Array>();
    this.#stored.set(name, stored);
    return stored;
  }
}

function keyOf(name: string, sender: string): string {
  return `${PREFIX}${name}/${sender}`;
}

function rowOf(name: string, sender: string, window: Uint8Array): { key: string; value: WindowRecord } {
  return { key: keyOf(name, sender), value: { window } };
}
