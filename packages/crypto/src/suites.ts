import { AEAD_KEY_LENGTH, AEAD_NONCE_LENGTH, AEAD_TAG_LENGTH } from './backend.js';
import type { Backend, Hash, Mac, Open, Seal } from './backend.js';
import { defaultBackend } from './default-backend.js';
import { SymmetraError } from './error.js';
import { mlKem1024, mlKem768 } from './kem.js';
import type { Kem } from './kem.js';
import { xWing } from './kem-xwing.js';

/**
 * One row of the suite table (protocol section 2): a KEM, a hash with its HMAC and HKDF, an AEAD.
 * Its id stands on every key, epoch and message.
 */
export interface Suite {
  readonly id: number;
  readonly name: string;
  readonly kem: Kem;
  /** Bytes of a hash, of a MAC, and of every key that feeds the KDF. */
  readonly hashLength: 32 | 64;
  readonly keyLength: 32;
  readonly tagLength: 16;
  readonly nonceLength: 12;
  /** `hashLength` bytes. The parts are not framed: frame what has variable length. */
  readonly hash: Hash;
  /** HMAC of `hashLength` bytes; its parts are not framed either. */
  readonly mac: Mac;
  /** The result is ciphertext || tag. */
  readonly seal: Seal;
  readonly open: Open;
}

/** The suites that a party knows, by id. */
export interface SuiteTable {
  /** @throws SUITE_UNKNOWN */
  get(id: number): Suite;
  /** Ascending. */
  ids(): readonly number[];
  has(id: number): boolean;
}

/** A table of the given suites. Their ids must differ. */
export function suiteTable(list: readonly Suite[]): SuiteTable {
  const byId = new Map(list.map((suite) => [suite.id, suite]));
  if (byId.size !== list.length) {
    throw new SymmetraError('SUITE_DUPLICATE', 'two suites of one table have the same id');
  }
  const ids = Object.freeze([...byId.keys()].toSorted((a, b) => a - b));
  return {
    get(id) {
      const suite = byId.get(id);
      if (suite === undefined) {
        throw new SymmetraError('SUITE_UNKNOWN', `suite ${id} is not known here`, { suite: id });
      }
      return suite;
    },
    ids: () => ids,
    has: (id) => byId.has(id),
  };
}

const AEAD_LENGTHS = {
  keyLength: AEAD_KEY_LENGTH,
  tagLength: AEAD_TAG_LENGTH,
  nonceLength: AEAD_NONCE_LENGTH,
} as const;

function sha256AesGcm(backend: Backend, id: number, kem: Kem): Suite {
  return {
    id,
    name: `${kem.name}/HKDF-SHA-256/AES-256-GCM`,
    kem,
    hashLength: 32,
    ...AEAD_LENGTHS,
    hash: backend.sha256,
    mac: backend.hmacSha256,
    seal: backend.aesGcmSeal,
    open: backend.aesGcmOpen,
  };
}

function sha512ChaCha(backend: Backend, id: number, kem: Kem): Suite {
  return {
    id,
    name: `${kem.name}/HKDF-SHA-512/ChaCha20-Poly1305`,
    kem,
    hashLength: 64,
    ...AEAD_LENGTHS,
    hash: backend.sha512,
    mac: backend.hmacSha512,
    seal: backend.chachaSeal,
    open: backend.chachaOpen,
  };
}

/** The three suites of the protocol on one back end. */
export function createSuites(backend: Backend): SuiteTable {
  return suiteTable([
    sha256AesGcm(backend, 1, mlKem768),
    sha512ChaCha(backend, 2, mlKem1024),
    sha256AesGcm(backend, 3, xWing(backend)),
  ]);
}

/** The three suites on the default back end. */
export const suites: SuiteTable = createSuites(defaultBackend);

/** SHA-256 of the parts joined, for what does not depend on a suite. */
export const sha256: Hash = defaultBackend.sha256;

/** HMAC-SHA-256 over the parts joined, for what does not depend on a suite. */
export const hmacSha256: Mac = defaultBackend.hmacSha256;
