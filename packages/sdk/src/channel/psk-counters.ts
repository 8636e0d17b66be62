import { Secret, SymmetraError, toHex } from '@symmetra/crypto';
import { externalPsk } from '@symmetra/protocol';
import type { ChannelKey, ExternalPsk, ProtocolContext, TlsClient } from '@symmetra/protocol';
import type { KeyRecord, TlsCounters } from '../keys/key-record.js';
import type { KeyStore } from '../keys/key-store.js';
import type { DeviceRandomness } from '../randomness.js';

/** CHN-2: how far from the highest number that was accepted another one may be, in either direction. */
const COUNTER_WINDOW = 32;
const DECOY_SUITE = 1;

/** A PSK that a TLS client asked for by its identity. */
export interface OfferedPsk {
  readonly keyId: string;
  readonly counter: number;
  readonly psk: ExternalPsk;
}

/** The identities of a key's counters, the first that of counter `from`. */
interface KnownWindow {
  readonly from: number;
  readonly identities: readonly string[];
}

/** CHN-1, CHN-2: the one-time PSKs of the keys that this device holds. */
export class PskCounters {
  readonly #context: ProtocolContext;
  readonly #keys: KeyStore;
  /** Identities that clients may use, by identity. */
  readonly #expected = new Map<string, { readonly keyId: string; readonly counter: number }>();
  readonly #windows = new Map<string, KnownWindow>();
  /** The revision of the keys that the identities were learned at. */
  #learnedAt = -1;
  /** Stands for the key of an identity that may not be used. */
  readonly #decoy: ChannelKey;

  constructor(context: ProtocolContext, keys: KeyStore, random: DeviceRandomness['bytes']) {
    this.#context = context;
    this.#keys = keys;
    this.#decoy = {
      suiteId: DECOY_SUITE,
      initiator: random(32),
      responder: random(32),
      keyId: random(16),
      tlsKey: Secret.of('TlsKey', random(32)),
    };
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

  /**
   * CHN-2: what a client means by an identity; undefined when it is unknown or spent. The work is the same whatever the
   * identity is, so that the time says nothing about it.
   */
  find(identity: string): OfferedPsk | undefined {
    this.#learn();
    const expected = this.#expected.get(identity);
    const record = expected && this.#keys.get(expected.keyId);
    if (expected === undefined || record === undefined || !isOpen(record.tls, expected.counter)) {
      externalPsk(this.#context, this.#decoy, 'initiator', 0).key.wipe();
      return undefined;
    }
    const { keyId, counter } = expected;
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
  #learn(): void {
    if (this.#learnedAt === this.#keys.revision) return;
    this.#learnedAt = this.#keys.revision;
    for (const [keyId, { identities }] of this.#windows) {
      if (this.#keys.get(keyId) !== undefined) continue;
      for (const identity of identities) this.#expected.delete(identity);
      this.#windows.delete(keyId);
    }
    for (const record of this.#keys.all()) this.#moveWindow(record);
  }

  #moveWindow(record: KeyRecord): void {
    const keyId = toHex(record.material.keyId);
    const { from, to } = windowOf(record.tls);
    const known = this.#windows.get(keyId) ?? { from, identities: [] };
    const kept = known.identities.slice(from - known.from);
    for (const identity of known.identities.slice(0, from - known.from)) this.#expected.delete(identity);
    for (let counter = from + kept.length; counter < to; counter++) {
      const { identity, key } = externalPsk(this.#context, record.material, clientOf(record), counter);
      key.wipe();
      this.#expected.set(identity, { keyId, counter });
      kept.push(identity);
    }
    this.#windows.set(keyId, { from, identities: kept });
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
