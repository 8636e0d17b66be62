import type { Store } from '@symmetra/storage';
import type { ControlState } from '../control/control-state.js';
import { hexOf, keyRow } from '../rows/row-keys.js';
import { decodeKeyRow } from './key-row.js';
import type { KeyRow } from './key-row.js';

interface Revocation {
  /** Number of the event. */
  readonly number: number;
  /** Node clock, milliseconds: when the key could not be in use any more anyway. */
  readonly expiresMs: number;
}

/** Which devices have to be told of a revoked key. */
export class RevokedKeys {
  /** By device. */
  readonly #revocations = new Map<string, Revocation[]>();

  /** Finds the devices of the keys that the log revokes. */
  async load(store: Store, state: ControlState): Promise<void> {
    for (const [keyHex, number] of state.keyRevocations()) {
      const stored = await store.get(keyRow(keyHex));
      if (stored !== undefined) this.add(decodeKeyRow(stored.value), number);
    }
  }

  /** Takes note of a revocation. */
  add({ initiator, responder, expiresMs }: KeyRow, number: number): void {
    for (const deviceHex of [hexOf(initiator), hexOf(responder)]) {
      const list = this.#revocations.get(deviceHex) ?? [];
      list.push({ number, expiresMs });
      this.#revocations.set(deviceHex, list);
    }
  }

  /** Numbers of the events that revoked keys of a device which may still be in use. */
  of(deviceHex: string, nowMs: number): readonly number[] {
    const live = (this.#revocations.get(deviceHex) ?? []).filter(({ expiresMs }) => expiresMs > nowMs);
    if (live.length === 0) this.#revocations.delete(deviceHex);
    else this.#revocations.set(deviceHex, live);
    return live.map(({ number }) => number);
  }
}
