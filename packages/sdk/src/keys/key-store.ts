import { SymmetraError, equalConstantTime, toBase32, toHex } from '@symmetra/crypto';
import type { NodeClock } from '../network/node-clock.js';
import type { DeviceState, RowChange } from '../state/device-state.js';
import type { EndedKeys } from './ended-keys.js';
import { describe, isOver, peerOf } from './key-record.js';
import type { KeyRecord } from './key-record.js';
import type { Key, KeyInfo } from './key-info.js';

const PREFIX = 'key/';

/** What the keys tell. */
export interface KeyListener {
  /** A key was used for the first time, or the last. */
  used(record: KeyRecord): void;
  /** A write failed that nobody waits for. */
  failed(error: unknown): void;
}

/** The keys that this device holds. */
export class KeyStore {
  readonly #state: DeviceState;
  readonly #ended: EndedKeys;
  readonly #clock: NodeClock;
  readonly #records = new Map<string, KeyRecord>();
  /** Old key ids by those of the keys that took their place. */
  readonly #renewed = new Map<string, string>();
  readonly #writes = new Set<Promise<void>>();
  #listener: KeyListener | undefined;
  #revision = 0;

  private constructor(state: DeviceState, ended: EndedKeys, clock: NodeClock) {
    this.#state = state;
    this.#ended = ended;
    this.#clock = clock;
  }

  static async load(state: DeviceState, ended: EndedKeys, clock: NodeClock): Promise<KeyStore> {
    const keys = new KeyStore(state, ended, clock);
    for (const { value } of await state.list<KeyRecord>(PREFIX)) keys.adopt(value);
    return keys;
  }

  listen(listener: KeyListener): void {
    this.#listener = listener;
  }

  /** Another number whenever a key came, changed or went. */
  get revision(): number {
    return this.#revision;
  }

  get(keyId: string): KeyRecord | undefined {
    return this.#records.get(keyId);
  }

  all(): readonly KeyRecord[] {
    return [...this.#records.values()];
  }

  /** The keys with a peer, newest last. */
  ofPeer(peer: Uint8Array): readonly KeyRecord[] {
    return this.all()
      .filter((record) => equalConstantTime(peerOf(record), peer))
      .toSorted((a, b) => a.createdMs - b.createdMs);
  }

  /** The newest key with a peer that may be used. */
  newestUsable(peer: Uint8Array): KeyRecord | undefined {
    return this.ofPeer(peer).findLast((record) => !isOver(record, this.#clock.now()));
  }

  /** @throws KEY_UNKNOWN, KEY_EXPIRED, KEY_USED_UP */
  usable(keyId: string): KeyRecord {
    const record = this.#records.get(keyId);
    if (record === undefined) throw this.#unknown(keyId);
    if (record.usesLeft === 0) throw new SymmetraError('KEY_USED_UP', 'the key has no uses left', { keyId });
    if (isOver(record, this.#clock.now())) {
      throw new SymmetraError('KEY_EXPIRED', 'the key has expired', { keyId });
    }
    return record;
  }

  /** The row of a new key; to be committed with what else changes, and then given to {@link KeyStore.adopt}. */
  row(record: KeyRecord): RowChange {
    return { key: PREFIX + toHex(record.material.keyId), value: record };
  }

  /** Takes a key into use whose row was committed. */
  adopt(record: KeyRecord): void {
    const keyId = toHex(record.material.keyId);
    this.#set(keyId, record);
    if (record.renewedBy !== undefined) this.#renewed.set(toHex(record.renewedBy), keyId);
  }

  /** The key whose place a key took. */
  renewedFrom(keyId: string): string | undefined {
    return this.#renewed.get(keyId);
  }

  /** Changes a key; durable when the promise is fulfilled. Changes of one key follow one another. */
  async update(keyId: string, change: (record: KeyRecord) => KeyRecord): Promise<KeyRecord> {
    const record = this.#records.get(keyId);
    if (record === undefined) throw this.#unknown(keyId);
    const changed = change(record);
    this.#set(keyId, changed);
    await this.#state.commit([this.row(changed)]);
    return changed;
  }

  /** Counts a use of a key that may be used, together with another change. Durable when fulfilled. */
  async countUse(
    keyId: string,
    change: (record: KeyRecord) => KeyRecord = (record) => record,
  ): Promise<KeyRecord> {
    const { isUsed, usesLeft } = this.usable(keyId);
    return this.update(keyId, (record) => ({
      ...change(record),
      isUsed: true,
      ...(usesLeft !== undefined && { usesLeft: usesLeft - 1 }),
    })).finally(() => {
      const record = this.#records.get(keyId);
      if (record !== undefined && (!isUsed || usesLeft === 1)) this.#listener?.used(record);
    });
  }

  /**
   * Erases keys; their ids are never used again, also when the rows can only go later.
   * @returns what is known of them
   * @throws DISK_FULL
   */
  async erase(keyIds: readonly string[], reason: string): Promise<readonly KeyInfo[]> {
    const records = keyIds.flatMap((keyId) => this.#records.get(keyId) ?? []);
    if (records.length === 0) return [];
    const infos = records.map((record) => this.info(record));
    const endings = records.map((record) =>
      this.#ended.end(record.material.keyId, peerOf(record), reason, this.#clock.now()),
    );
    for (const { material, renewedBy } of records) {
      this.#records.delete(toHex(material.keyId));
      this.#revision++;
      if (renewedBy !== undefined) this.#renewed.delete(toHex(renewedBy));
    }
    this.#ended.adopt(endings);
    const rows = [...records.map((record) => ({ ...this.row(record), value: null })), ...endings];
    await this.#state.insist(rows).finally(() => {
      for (const { material } of records) {
        material.applicationKey.wipe();
        material.tlsKey.wipe();
      }
    });
    return infos;
  }

  info(record: KeyRecord): KeyInfo {
    return describe(record, isOver(record, this.#clock.now()) ? 'expired' : 'active');
  }

  /** A key for the caller. @throws KEY_UNKNOWN, KEY_EXPIRED, KEY_USED_UP */
  open(keyId: string): Key {
    const record = this.usable(keyId);
    return { ...describe(record, 'active'), state: 'active', bytes: () => this.#use(keyId) };
  }

  /** Waits for the writes that nobody waits for, then forgets the secrets. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#writes);
    for (const { material } of this.all()) {
      material.applicationKey.wipe();
      material.tlsKey.wipe();
    }
    this.#records.clear();
  }

  #set(keyId: string, record: KeyRecord): void {
    this.#records.set(keyId, record);
    this.#revision++;
  }

  /** A copy of the key; the use is counted at once and durable a moment later: a crash in between can give it back. */
  #use(keyId: string): Uint8Array {
    const record = this.usable(keyId);
    const bytes = record.material.applicationKey.bytes.slice();
    if (record.isUsed && record.usesLeft === undefined) return bytes;
    const write = this.countUse(keyId).then(
      () => undefined,
      (error: unknown) => this.#listener?.failed(error),
    );
    this.#writes.add(write);
    void write.finally(() => this.#writes.delete(write));
    return bytes;
  }

  #unknown(keyId: string): SymmetraError {
    const ended = this.#ended.get(keyId);
    if (ended === undefined) {
      return new SymmetraError('KEY_UNKNOWN', 'this device holds no such key', { keyId });
    }
    return new SymmetraError(ended.reason, 'the key was erased', { keyId, peer: toBase32(ended.peer) });
  }
}
