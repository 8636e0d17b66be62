import { SymmetraError, toHex } from '@symmetra/crypto';
import { externalPsk } from '@symmetra/protocol';
import type { ExternalPsk, ProtocolContext, TlsClient } from '@symmetra/protocol';
import type { KeyRecord, TlsCounters } from '../keys/key-record.js';
import type { KeyStore } from '../keys/key-store.js';

/** CHN-2: how far from the highest number that was accepted another one may be, in either direction. */
const COUNTER_WINDOW = 32;

/** A PSK that a TLS client asked for by its identity. */
export interface OfferedPsk {
  readonly keyId: string;
  readonly counter: number;
  readonly psk: ExternalPsk;
}

/** CHN-1, CHN-2: the one-time PSKs of the keys that this device holds. */
export class PskCounters {
  readonly #context: ProtocolContext;
  readonly #keys: KeyStore;
  /** Identities that clients may use, by identity. */
  readonly #expected = new Map<string, { readonly keyId: string; readonly counter: number }>();
  /** Up to which counter the identities of a key are known. */
  readonly #knownTo = new Map<string, number>();

  constructor(context: ProtocolContext, keys: KeyStore) {
    this.#context = context;
    this.#keys = keys;
  }

  /** The PSK for the next connection that this device makes; its counter is used up, durably. */
  async takeForClient(keyId: string): Promise<ExternalPsk> {
    const { material, role, tls } = this.#keys.usable(keyId);
    const { clientNext } = tls;
    await this.#keys.countUse(keyId, (record) => withTls(record, { clientNext: clientNext + 1 }));
    return externalPsk(this.#context, material, role, clientNext);
  }

  /** The PSK for the next connection that a peer makes, for a TLS server outside; its counter is used up. */
  async takeForServer(keyId: string): Promise<ExternalPsk> {
    const record = this.#keys.usable(keyId);
    const counter = record.tls.serverNext;
    await this.#keys.countUse(keyId, (current) => withAccepted(current, counter));
    return externalPsk(this.#context, record.material, clientOf(record), counter);
  }

  /** What a client means by an identity; undefined when it is unknown or spent. */
  find(identity: string): OfferedPsk | undefined {
    if (!this.#expected.has(identity)) this.#extend();
    const expected = this.#expected.get(identity);
    if (expected === undefined) return undefined;
    const { keyId, counter } = expected;
    const record = this.#keys.get(keyId);
    if (record === undefined || !isOpen(record.tls, counter)) {
      this.#expected.delete(identity);
      return undefined;
    }
    return { keyId, counter, psk: externalPsk(this.#context, record.material, clientOf(record), counter) };
  }

  /** Uses up a client's counter, durably, before its data is taken. @throws PSK_UNKNOWN when it was used meanwhile */
  async accept(keyId: string, counter: number): Promise<void> {
    if (!isOpen(this.#keys.usable(keyId).tls, counter)) {
      throw new SymmetraError('PSK_UNKNOWN', 'the identity of the connection is spent', { keyId });
    }
    await this.#keys.countUse(keyId, (record) => withAccepted(record, counter));
  }

  /** Learns the identities of new keys and of windows that moved; drops those of keys that are gone. */
  #extend(): void {
    for (const [identity, { keyId }] of this.#expected) {
      if (this.#keys.get(keyId) !== undefined) continue;
      this.#expected.delete(identity);
      this.#knownTo.delete(keyId);
    }
    for (const record of this.#keys.all()) {
      const keyId = toHex(record.material.keyId);
      const { from, to } = windowOf(record.tls);
      for (let counter = Math.max(from, this.#knownTo.get(keyId) ?? 0); counter < to; counter++) {
        const { identity, key } = externalPsk(this.#context, record.material, clientOf(record), counter);
        key.wipe();
        this.#expected.set(identity, { keyId, counter });
      }
      this.#knownTo.set(keyId, to);
    }
  }
}

function windowOf({ serverNext }: TlsCounters): { readonly from: number; readonly to: number } {
  return { from: Math.max(0, serverNext - COUNTER_WINDOW), to: serverNext + COUNTER_WINDOW };
}

function isOpen(tls: TlsCounters, counter: number): boolean {
  const { from, to } = windowOf(tls);
  return counter >= from && counter < to && !tls.serverUsed.includes(counter);
}

/** Which end of the key the TLS client is, when this device is the server. */
function clientOf({ role }: KeyRecord): TlsClient {
  return role === 'initiator' ? 'responder' : 'initiator';
}

function withTls(record: KeyRecord, change: Partial<TlsCounters>): KeyRecord {
  return { ...record, tls: { ...record.tls, ...change } };
}

function withAccepted(record: KeyRecord, counter: number): KeyRecord {
  const serverNext = Math.max(record.tls.serverNext, counter + 1);
  const serverUsed = [...record.tls.serverUsed, counter].filter(
    (used) => used >= serverNext - COUNTER_WINDOW,
  );
  return withTls(record, { serverNext, serverUsed });
}
