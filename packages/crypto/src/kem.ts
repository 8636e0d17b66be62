import { ml_kem1024, ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { checkLength } from './backend.js';
import { SymmetraError } from './error.js';

/** A KEM key pair. The secret key belongs to the caller, who wipes it. */
export interface KemKeyPair {
  readonly publicKey: Uint8Array;
  readonly secretKey: Uint8Array;
}

/** What an encapsulation gives: the ciphertext to send and the secret to keep. */
export interface Encapsulation {
  readonly ciphertext: Uint8Array;
  readonly sharedSecret: Uint8Array;
}

/**
 * A key encapsulation mechanism, deterministic: all randomness is passed in. A decapsulation with
 * the wrong key does not throw, it gives another secret, so every use is followed by key
 * confirmation.
 */
export interface Kem {
  readonly name: string;
  readonly publicKeyLength: number;
  readonly secretKeyLength: number;
  readonly ciphertextLength: number;
  readonly sharedSecretLength: 32;
  /** Random bytes that {@link Kem.keygen} takes. */
  readonly seedLength: number;
  /** Random bytes that {@link Kem.encapsulate} takes. */
  readonly coinsLength: number;
  /** @throws BAD_KEM_SEED when the seed has another length. */
  keygen(seed: Uint8Array): KemKeyPair;
  /** @throws BAD_KEM_KEY as {@link Kem.checkPublicKey}; BAD_KEM_COINS when the coins have another length. */
  encapsulate(publicKey: Uint8Array, coins: Uint8Array): Encapsulation;
  /** @throws BAD_KEM_CIPHERTEXT or BAD_KEM_KEY on a wrong length or a secret key that is not intact. */
  decapsulate(ciphertext: Uint8Array, secretKey: Uint8Array): Uint8Array;
  /** @throws BAD_KEM_KEY on a wrong length, or a coefficient not below 3329 (FIPS 203 section 7.2). */
  checkPublicKey(publicKey: Uint8Array): void;
}

/** Bytes of every KEM's shared secret. */
export const SHARED_SECRET_LENGTH = 32;

/** Bytes of rho, which ends an ML-KEM public key; packed 12-bit coefficients stand before it. */
const RHO_LENGTH = 32;
const ML_KEM_MODULUS = 3329;

type NobleKem = typeof ml_kem768;

/** ML-KEM-768 of FIPS 203. */
export const mlKem768: Kem = mlKem('ML-KEM-768', ml_kem768, {
  publicKey: 1184,
  secretKey: 2400,
  ciphertext: 1088,
});

/** ML-KEM-1024 of FIPS 203. */
export const mlKem1024: Kem = mlKem('ML-KEM-1024', ml_kem1024, {
  publicKey: 1568,
  secretKey: 3168,
  ciphertext: 1568,
});

interface MlKemLengths {
  readonly publicKey: number;
  readonly secretKey: number;
  readonly ciphertext: number;
}

function mlKem(name: string, noble: NobleKem, lengths: MlKemLengths): Kem {
  const checkPublicKey = (publicKey: Uint8Array): void => {
    checkLength(publicKey, lengths.publicKey, 'BAD_KEM_KEY', `the ${name} public key`);
    checkModulus(publicKey, name);
  };
  return {
    name,
    publicKeyLength: lengths.publicKey,
    secretKeyLength: lengths.secretKey,
    ciphertextLength: lengths.ciphertext,
    sharedSecretLength: SHARED_SECRET_LENGTH,
    seedLength: 64,
    coinsLength: 32,
    keygen(seed) {
      checkLength(seed, 64, 'BAD_KEM_SEED', `the ${name} seed`);
      const { publicKey, secretKey } = noble.keygen(seed);
      return { publicKey, secretKey };
    },
    encapsulate(publicKey, coins) {
      checkPublicKey(publicKey);
      checkLength(coins, 32, 'BAD_KEM_COINS', `the ${name} coins`);
      const { cipherText, sharedSecret } = noble.encapsulate(publicKey, coins);
      return { ciphertext: cipherText, sharedSecret };
    },
    decapsulate(ciphertext, secretKey) {
      checkLength(ciphertext, lengths.ciphertext, 'BAD_KEM_CIPHERTEXT', `the ${name} ciphertext`);
      checkLength(secretKey, lengths.secretKey, 'BAD_KEM_KEY', `the ${name} secret key`);
      try {
        return noble.decapsulate(ciphertext, secretKey);
      } catch {
        throw new SymmetraError('BAD_KEM_KEY', `the ${name} secret key is damaged`);
      }
    },
    checkPublicKey,
  };
}

/** FIPS 203 section 7.2, modulus check: every packed 12-bit coefficient is below the modulus. */
function checkModulus(publicKey: Uint8Array, name: string): void {
  const end = publicKey.length - RHO_LENGTH;
  for (let at = 0; at < end; at += 3) {
    const middle = publicKey[at + 1] as number;
    const first = (publicKey[at] as number) | ((middle & 0x0f) << 8);
    const second = (middle >>> 4) | ((publicKey[at + 2] as number) << 4);
    if (first >= ML_KEM_MODULUS || second >= ML_KEM_MODULUS) {
      throw new SymmetraError('BAD_KEM_KEY', `the ${name} public key has a coefficient out of range`, {
        offset: at,
      });
    }
  }
}
