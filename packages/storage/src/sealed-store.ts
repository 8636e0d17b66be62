import { AuthenticationError, EMPTY, Secret, SymmetraError, expand, suites, utf8 } from '@symmetra/crypto';
import { MAX_VALUE_BYTES, checkChanges } from './store.js';
import type { Change, Row, ScanOptions, ScannedRow, Store } from './store.js';

/** The key under which one node or device keeps its state. 32 bytes. */
export type MasterKey = Secret<'masterKey'>;

const FORMAT = 1;
const NONCE_BYTES = 32;
const TAG_BYTES = 16;
const COUNTER_AT = 1 + NONCE_BYTES;
const HEAD_BYTES = COUNTER_AT + 8;

/** What sealing adds to a value. */
export const SEAL_OVERHEAD_BYTES = HEAD_BYTES + TAG_BYTES;
/** Bytes of a value in a sealed store at most. */
export const MAX_SEALED_VALUE_BYTES = MAX_VALUE_BYTES - SEAL_OVERHEAD_BYTES;

/** Keys of earlier processes that stay derived at the same time. */
const MAX_CACHED_KEYS = 64;
const SUITE = suites.get(1);
const NO_NETWORK = new Uint8Array(16);

/**
 * Seals every value of `store` with AES-256-GCM (protocol section 2, keys that are stored):
 *
 *     instance key = expand(suite 1, master key, "store value", epoch := instance nonce)
 *     value        = u8(1) || instance nonce(32) || u64(counter) || AEAD ciphertext || tag
 *     AEAD         : nonce = 4 zero bytes || u64(counter), associated data = the row's key
 *
 * The instance nonce is drawn here, afresh for each process that opens the store, and the counter
 * runs from 0 under it: no nonce repeats even when the storage underneath is set back to a backup.
 * A value that was changed, moved to another row, or sealed under another master key is refused.
 * What is not hidden: row keys, versions, and the length of values. What is not noticed: a row, or
 * the whole store, that was set back to what it held earlier.
 *
 * Values are 57 bytes shorter at most than the store's own. Reading rejects with STORE_SEAL_BROKEN.
 *
 * @param masterKey 32 bytes; lent until `close`, and not wiped.
 * @param random fresh random bytes; 32 are drawn, once.
 */
export function sealStore(store: Store, masterKey: MasterKey, random: (length: number) => Uint8Array): Store {
  return new SealedStore(store, masterKey, random(NONCE_BYTES));
}

class SealedStore implements Store {
  readonly #store: Store;
  readonly #masterKey: MasterKey;
  readonly #instanceNonce: Uint8Array;
  readonly #ownKey: Secret<'instanceKey'>;
  #counter = 0n;
  readonly #keys = new Map<string, Secret<'instanceKey'>>();

  constructor(store: Store, masterKey: MasterKey, instanceNonce: Uint8Array) {
    this.#store = store;
    this.#masterKey = masterKey;
    this.#instanceNonce = instanceNonce;
    this.#ownKey = this.#derive(instanceNonce);
  }

  async get(key: string): Promise<Row | undefined> {
    const row = await this.#store.get(key);
    return row && this.#open(key, row);
  }

  async commit(changes: readonly Change[]): Promise<boolean> {
    checkChanges(changes, MAX_SEALED_VALUE_BYTES);
    return this.#store.commit(
      changes.map((change) => ({ ...change, value: change.value && this.#seal(change.key, change.value) })),
    );
  }

  async scan(prefix: string, options?: ScanOptions): Promise<readonly ScannedRow[]> {
    const sealed = await this.#store.scan(prefix, options);
    return sealed.map(({ key, row }) => ({ key, row: this.#open(key, row) }));
  }

  async close(): Promise<void> {
    await this.#store.close();
    for (const key of [this.#ownKey, ...this.#keys.values()]) key.wipe();
    this.#keys.clear();
  }

  #seal(key: string, value: Uint8Array): Uint8Array {
    const sealed = new Uint8Array(SEAL_OVERHEAD_BYTES + value.length);
    sealed[0] = FORMAT;
    sealed.set(this.#instanceNonce, 1);
    new DataView(sealed.buffer).setBigUint64(COUNTER_AT, this.#counter);
    this.#counter += 1n;
    sealed.set(SUITE.seal(this.#ownKey.bytes, aeadNonce(sealed), utf8(key), value), HEAD_BYTES);
    return sealed;
  }

  #open(key: string, { value, version }: Row): Row {
    if (value.length < SEAL_OVERHEAD_BYTES || value[0] !== FORMAT) throw sealBroken(key);
    const instanceKey = this.#keyOf(value.subarray(1, COUNTER_AT));
    const ciphertext = value.subarray(HEAD_BYTES);
    try {
      return { value: SUITE.open(instanceKey.bytes, aeadNonce(value), utf8(key), ciphertext), version };
    } catch (error) {
      if (error instanceof AuthenticationError) throw sealBroken(key);
      throw error;
    }
  }

  /** The key of the process that sealed a value; the one asked for longest ago leaves the cache first. */
  #keyOf(instanceNonce: Uint8Array): Secret<'instanceKey'> {
    const name = Buffer.from(instanceNonce).toString('latin1');
    const key = this.#keys.get(name) ?? this.#derive(instanceNonce);
    this.#keys.delete(name);
    this.#keys.set(name, key);
    const [oldest] = this.#keys;
    if (oldest && this.#keys.size > MAX_CACHED_KEYS) {
      this.#keys.delete(oldest[0]);
      oldest[1].wipe();
    }
    return key;
  }

  #derive(instanceNonce: Uint8Array): Secret<'instanceKey'> {
    const key = expand(SUITE, this.#masterKey.bytes, 'storeValue', {
      networkId: NO_NETWORK,
      initiator: EMPTY,
      responder: EMPTY,
      epoch: instanceNonce,
      transcriptHash: EMPTY,
    });
    return Secret.of('instanceKey', key);
  }
}

/** The AEAD nonce of a sealed value: the counter in its head, behind four zero bytes. */
function aeadNonce(sealed: Uint8Array): Uint8Array {
  const nonce = new Uint8Array(SUITE.nonceLength);
  nonce.set(sealed.subarray(COUNTER_AT, HEAD_BYTES), 4);
  return nonce;
}

function sealBroken(key: string): SymmetraError {
  return new SymmetraError(
    'STORE_SEAL_BROKEN',
    'a stored value does not open: it was changed or moved, or the master key is another one',
    { key },
  );
}
