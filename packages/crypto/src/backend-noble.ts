import { gcm } from '@noble/ciphers/aes.js';
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { x25519 } from '@noble/curves/ed25519.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { sha3_256, shake256 } from '@noble/hashes/sha3.js';
import { AEAD_TAG_LENGTH, X25519_LENGTH, checkAeadInput, checkX25519Input } from './backend.js';
import type { Backend } from './backend.js';
import { AuthenticationError } from './error.js';

type NobleAead = typeof gcm | typeof chacha20poly1305;
type NobleHash = typeof sha256 | typeof sha512;

function hash(algorithm: NobleHash, parts: readonly Uint8Array[]): Uint8Array {
  const state = algorithm.create();
  for (const part of parts) state.update(part);
  return state.digest();
}

function mac(algorithm: NobleHash, key: Uint8Array, parts: readonly Uint8Array[]): Uint8Array {
  const state = hmac.create(algorithm, key);
  for (const part of parts) state.update(part);
  return state.digest();
}

function seal(
  aead: NobleAead,
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
  plaintext: Uint8Array,
): Uint8Array {
  checkAeadInput(key, nonce);
  return aead(key, nonce, aad).encrypt(plaintext);
}

function open(
  aead: NobleAead,
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
  sealed: Uint8Array,
): Uint8Array {
  checkAeadInput(key, nonce);
  if (sealed.length < AEAD_TAG_LENGTH) throw new AuthenticationError();
  const cipher = aead(key, nonce, aad);
  try {
    return cipher.decrypt(sealed);
  } catch {
    throw new AuthenticationError();
  }
}

/** The primitives in portable JavaScript, for every runtime. */
export const nobleBackend: Backend = {
  name: 'noble',
  sha256: (...parts) => hash(sha256, parts),
  sha512: (...parts) => hash(sha512, parts),
  hmacSha256: (key, ...parts) => mac(sha256, key, parts),
  hmacSha512: (key, ...parts) => mac(sha512, key, parts),
  sha3_256: (data) => sha3_256(data),
  shake256: (data, length) => shake256(data, { dkLen: length }),
  aesGcmSeal: (key, nonce, aad, plaintext) => seal(gcm, key, nonce, aad, plaintext),
  aesGcmOpen: (key, nonce, aad, sealed) => open(gcm, key, nonce, aad, sealed),
  chachaSeal: (key, nonce, aad, plaintext) => seal(chacha20poly1305, key, nonce, aad, plaintext),
  chachaOpen: (key, nonce, aad, sealed) => open(chacha20poly1305, key, nonce, aad, sealed),
  x25519: (scalar, u) => {
    checkX25519Input(scalar, u);
    return scalarMultiply(scalar, u);
  },
  x25519Public: (scalar) => {
    checkX25519Input(scalar);
    return x25519.getPublicKey(scalar);
  },
};

/** noble makes the all-zero check of RFC 7748 section 6.1 an error; here it is a value. */
function scalarMultiply(scalar: Uint8Array, u: Uint8Array): Uint8Array {
  try {
    return x25519.getSharedSecret(scalar, u);
  } catch {
    return new Uint8Array(X25519_LENGTH);
  }
}
