import { SymmetraError } from './error.js';

/** Bytes of an AEAD key, for both AES-256-GCM and ChaCha20-Poly1305. */
export const AEAD_KEY_LENGTH = 32;
/** Bytes of an AEAD nonce. */
export const AEAD_NONCE_LENGTH = 12;
/** Bytes of the AEAD tag, which stands behind the ciphertext. */
export const AEAD_TAG_LENGTH = 16;
/** Bytes of an X25519 scalar, u-coordinate and output. */
export const X25519_LENGTH = 32;

/** A hash over the parts joined. */
export type Hash = (...parts: readonly Uint8Array[]) => Uint8Array;

/** HMAC (RFC 2104) over the parts joined. Keys of any length. */
export type Mac = (key: Uint8Array, ...parts: readonly Uint8Array[]) => Uint8Array;

/** AEAD encryption; the result is ciphertext || tag. @throws BAD_AEAD_KEY, BAD_AEAD_NONCE. */
export type Seal = (key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array) => Uint8Array;

/** AEAD decryption of ciphertext || tag. @throws AuthenticationError, BAD_AEAD_KEY, BAD_AEAD_NONCE. */
export type Open = (key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array) => Uint8Array;

/**
 * The symmetric and elliptic-curve primitives that two implementations provide: node:crypto and
 * noble. Every result is a fresh, plain Uint8Array; no argument is changed or kept.
 */
export interface Backend {
  readonly name: string;
  /** FIPS 180-4. */
  readonly sha256: Hash;
  readonly sha512: Hash;
  readonly hmacSha256: Mac;
  readonly hmacSha512: Mac;
  /** FIPS 202. */
  readonly sha3_256: (data: Uint8Array) => Uint8Array;
  readonly shake256: (data: Uint8Array, length: number) => Uint8Array;
  /** SP 800-38D. */
  readonly aesGcmSeal: Seal;
  readonly aesGcmOpen: Open;
  /** RFC 8439. */
  readonly chachaSeal: Seal;
  readonly chachaOpen: Open;
  /**
   * RFC 7748 section 5, without the optional check of section 6.1: a point of small order gives 32
   * zero bytes. @throws BAD_X25519_LENGTH.
   */
  readonly x25519: (scalar: Uint8Array, u: Uint8Array) => Uint8Array;
  /** The public u-coordinate of a scalar. @throws BAD_X25519_LENGTH. */
  readonly x25519Public: (scalar: Uint8Array) => Uint8Array;
}

/** The check that both implementations make before an AEAD operation. */
export function checkAeadInput(key: Uint8Array, nonce: Uint8Array): void {
  checkLength(key, AEAD_KEY_LENGTH, 'BAD_AEAD_KEY', 'the AEAD key');
  checkLength(nonce, AEAD_NONCE_LENGTH, 'BAD_AEAD_NONCE', 'the AEAD nonce');
}

/** The check that both implementations make before an X25519 operation. */
export function checkX25519Input(...inputs: readonly Uint8Array[]): void {
  for (const input of inputs) checkLength(input, X25519_LENGTH, 'BAD_X25519_LENGTH', 'an X25519 input');
}

/** @throws SymmetraError with `code` when `bytes` is not exactly `expected` bytes long. */
export function checkLength(bytes: Uint8Array, expected: number, code: string, what: string): void {
  if (bytes.length === expected) return;
  throw new SymmetraError(code, `${what} must be ${expected} bytes, not ${bytes.length}`, {
    expected,
    actual: bytes.length,
  });
}
