import type * as NodeCrypto from 'node:crypto';
import { AEAD_TAG_LENGTH, X25519_LENGTH, checkAeadInput, checkX25519Input } from './backend.js';
import type { Backend } from './backend.js';
import { concat } from './bytes.js';
import { AuthenticationError } from './error.js';

type Crypto = typeof NodeCrypto;
type AeadName = 'aes-256-gcm' | 'chacha20-poly1305';
/** node's types give each AEAD an overload of its own; the calls are the same. */
type GcmTypes = 'aes-256-gcm';
type HashName = 'sha256' | 'sha512';

const AEAD_OPTIONS = { authTagLength: AEAD_TAG_LENGTH };

/** RFC 8037. */
const X25519_JWK = { kty: 'OKP', crv: 'X25519' };

/**
 * The primitives on node:crypto, or undefined in a runtime that has none. The module is asked for
 * at run time, so that a browser bundle of this package has no import to resolve.
 */
export function nodeBackend(): Backend | undefined {
  const host = globalThis.process as typeof globalThis.process | undefined;
  const crypto = host?.getBuiltinModule?.('node:crypto');
  return crypto === undefined ? undefined : build(crypto);
}

function build(crypto: Crypto): Backend {
  return {
    name: 'node:crypto',
    sha256: (...parts) => hash(crypto, 'sha256', parts),
    sha512: (...parts) => hash(crypto, 'sha512', parts),
    hmacSha256: (key, ...parts) => mac(crypto, 'sha256', key, parts),
    hmacSha512: (key, ...parts) => mac(crypto, 'sha512', key, parts),
    sha3_256: (data) => plain(crypto.createHash('sha3-256').update(data).digest()),
    shake256: (data, length) =>
      plain(crypto.createHash('shake256', { outputLength: length }).update(data).digest()),
    aesGcmSeal: (key, nonce, aad, plaintext) => seal(crypto, 'aes-256-gcm', key, nonce, aad, plaintext),
    aesGcmOpen: (key, nonce, aad, sealed) => open(crypto, 'aes-256-gcm', key, nonce, aad, sealed),
    chachaSeal: (key, nonce, aad, plaintext) => seal(crypto, 'chacha20-poly1305', key, nonce, aad, plaintext),
    chachaOpen: (key, nonce, aad, sealed) => open(crypto, 'chacha20-poly1305', key, nonce, aad, sealed),
    x25519: (scalar, u) => {
      checkX25519Input(scalar, u);
      return scalarMultiply(crypto, scalar, u);
    },
    x25519Public: (scalar) => {
      checkX25519Input(scalar);
      return publicFromScalar(crypto, scalar);
    },
  };
}

/** The same memory as a plain Uint8Array; node's digests own theirs and do not come from its pool. */
function plain(buffer: Uint8Array): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

function hash(crypto: Crypto, name: HashName, parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts;
  const data = parts.length === 1 && only !== undefined ? only : concat(...parts);
  return plain(crypto.hash(name, data, 'buffer'));
}

function mac(crypto: Crypto, name: HashName, key: Uint8Array, parts: readonly Uint8Array[]): Uint8Array {
  const state = crypto.createHmac(name, key);
  for (const part of parts) state.update(part);
  return plain(state.digest());
}

function seal(
  crypto: Crypto,
  name: AeadName,
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
  plaintext: Uint8Array,
): Uint8Array {
  checkAeadInput(key, nonce);
  const cipher = crypto.createCipheriv(name as GcmTypes, key, nonce, AEAD_OPTIONS);
  if (aad.length > 0) cipher.setAAD(aad);
  const sealed = new Uint8Array(plaintext.length + AEAD_TAG_LENGTH);
  sealed.set(cipher.update(plaintext));
  cipher.final();
  sealed.set(cipher.getAuthTag(), plaintext.length);
  return sealed;
}

function open(
  crypto: Crypto,
  name: AeadName,
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
  sealed: Uint8Array,
): Uint8Array {
  checkAeadInput(key, nonce);
  const length = sealed.length - AEAD_TAG_LENGTH;
  if (length < 0) throw new AuthenticationError();
  const decipher = crypto.createDecipheriv(name as GcmTypes, key, nonce, AEAD_OPTIONS);
  if (aad.length > 0) decipher.setAAD(aad);
  decipher.setAuthTag(sealed.subarray(length));
  const plaintext = plain(decipher.update(sealed.subarray(0, length)));
  try {
    decipher.final();
  } catch {
    plaintext.fill(0);
    throw new AuthenticationError();
  }
  return plaintext;
}

/** OpenSSL makes the all-zero check of RFC 7748 section 6.1 an error; here it is a value. */
function scalarMultiply(crypto: Crypto, scalar: Uint8Array, u: Uint8Array): Uint8Array {
  const privateKey = importScalar(crypto, scalar);
  const publicKey = crypto.createPublicKey({ key: { ...X25519_JWK, x: base64Url(u) }, format: 'jwk' });
  try {
    return plain(crypto.diffieHellman({ privateKey, publicKey }));
  } catch {
    return new Uint8Array(X25519_LENGTH);
  }
}

function publicFromScalar(crypto: Crypto, scalar: Uint8Array): Uint8Array {
  const { x } = crypto.createPublicKey(importScalar(crypto, scalar)).export({ format: 'jwk' });
  return new Uint8Array(Buffer.from(x as string, 'base64url'));
}

/**
 * A JWK is imported ten times faster than PKCS #8, at the price of a string that can not be wiped.
 * Node takes the scalar from `d` and leaves `x` unread, but wants it to be there.
 */
function importScalar(crypto: Crypto, scalar: Uint8Array): NodeCrypto.KeyObject {
  const d = base64Url(scalar);
  return crypto.createPrivateKey({ key: { ...X25519_JWK, d, x: d }, format: 'jwk' });
}

function base64Url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64url');
}
