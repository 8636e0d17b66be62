import { toHex } from '@symmetra/crypto';
import type { ContinuityEntry, HeldContinuity, InitiatorContinuity } from '@symmetra/protocol';
import type { DeviceState, RowChange } from '../state/device-state.js';

const INITIATOR = 'continuity-initiator/';
const RESPONDER = 'continuity-responder/';
const NUMBER_DIGITS = 12;

/** A held secret and the number of its row; rows are in the order of use. */
interface NumberedEntry {
  readonly number: number;
  readonly entry: HeldContinuity;
}

/**
 * PAIR-5: the continuity secrets with every peer, for each direction. The rules stand in the protocol; this keeps what
 * its steps return. A change is in force at once, so that the next step builds on it; the caller commits its rows.
 */
export class ContinuityBook {
  readonly #state: DeviceState;
  readonly #offers = new Map<string, InitiatorContinuity>();
  readonly #held = new Map<string, readonly NumberedEntry[]>();
  readonly #lastNumber = new Map<string, number>();

  private constructor(state: DeviceState) {
    this.#state = state;
  }

  static async load(state: DeviceState): Promise<ContinuityBook> {
    const book = new ContinuityBook(state);
    for (const { name, value } of await state.list<InitiatorContinuity>(INITIATOR)) {
      book.#offers.set(name, value);
    }
    for (const { name, value } of await state.list<HeldContinuity>(RESPONDER)) {
      const [peer = '', digits = ''] = name.split('/');
      const number = Number.parseInt(digits, 10);
      book.#held.set(peer, [...(book.#held.get(peer) ?? []), { number, entry: value }]);
      book.#lastNumber.set(peer, number);
    }
    return book;
  }

  /** What this device offers to a peer. */
  offers(peer: Uint8Array): InitiatorContinuity {
    return this.#offers.get(toHex(peer)) ?? {};
  }

  /** What this device holds of a peer that begins, the one used last at the end. */
  held(peer: Uint8Array): readonly HeldContinuity[] {
    return (this.#held.get(toHex(peer)) ?? []).map(({ entry }) => entry);
  }

  /** Takes what this device offers from now on. @returns the rows to commit */
  setOffers(peer: Uint8Array, offers: InitiatorContinuity): readonly RowChange[] {
    const id = toHex(peer);
    this.#offers.set(id, offers);
    return [{ key: INITIATOR + id, value: offers }];
  }

  /** Takes what this device holds from now on. Only rows that moved or changed are written. @returns the rows to commit */
  setHeld(peer: Uint8Array, held: readonly HeldContinuity[]): readonly RowChange[] {
    const id = toHex(peer);
    const before = this.#held.get(id) ?? [];
    // The steps hand back what they did not change as it was, and put what they did change at the end.
    const known = new Map(before.map((one) => [one.entry, one]));
    let last = 0;
    const after = held.map((entry): NumberedEntry => {
      const old = known.get(entry);
      const kept = old !== undefined && old.number > last ? old : { number: this.#nextNumber(id), entry };
      last = kept.number;
      return kept;
    });
    this.#held.set(id, after);
    const left = new Set(before);
    const added = after.filter((one) => !left.delete(one));
    return [
      ...[...left].map(({ number }) => ({ key: rowOf(id, number), value: null })),
      ...added.map(({ number, entry }) => ({ key: rowOf(id, number), value: entry })),
    ];
  }

  /** Drops everything with a peer: the next negotiation is a first contact. @throws DISK_FULL; the rows go when there is room */
  async forget(peer: Uint8Array): Promise<void> {
    const id = toHex(peer);
    const held = this.#held.get(id) ?? [];
    const consumed = this.#secretsOf(id);
    this.#offers.delete(id);
    this.#held.delete(id);
    const rows = [
      { key: INITIATOR + id, value: null },
      ...held.map(({ number }) => ({ key: rowOf(id, number), value: null })),
    ];
    await this.#state.insist(rows).finally(() => {
      for (const secret of consumed) secret.wipe();
    });
  }

  /** Erases all secrets from memory. */
  close(): void {
    for (const id of new Set([...this.#offers.keys(), ...this.#held.keys()])) {
      for (const secret of this.#secretsOf(id)) secret.wipe();
    }
  }

  #nextNumber(id: string): number {
    const number = (this.#lastNumber.get(id) ?? 0) + 1;
    this.#lastNumber.set(id, number);
    return number;
  }

  #secretsOf(id: string): readonly { wipe(): void }[] {
    const { acknowledged, newest } = this.#offers.get(id) ?? {};
    const entries: readonly (ContinuityEntry | undefined)[] = [
      acknowledged,
      newest,
      ...(this.#held.get(id) ?? []).map(({ entry }) => entry),
    ];
    return entries.flatMap((entry) => (entry === undefined ? [] : [entry.secret]));
  }
}

function rowOf(peer: string, number: number): string {
  return `${RESPONDER}${peer}/${String(number).padStart(NUMBER_DIGITS, '0')}`;
}
