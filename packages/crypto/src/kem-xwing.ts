import type { Backend } from './backend.js';
import { X25519_LENGTH, checkLength } from './backend.js';
import { concat, wipe } from './bytes.js';
import { SHARED_SECRET_LENGTH, mlKem768 } from './kem.js';
import type { Kem } from './kem.js';

const NAME = 'X-Wing';
const SEED_LENGTH = 32;
const EXPANDED_LENGTH = 96;
const PUBLIC_KEY_LENGTH = mlKem768.publicKeyLength + X25519_LENGTH;
const CIPHERTEXT_LENGTH = mlKem768.ciphertextLength + X25519_LENGTH;
const COINS_LENGTH = mlKem768.coinsLength + X25519_LENGTH;

/** The draft's label, a picture of an X-wing: \.//^\ */
const COMBINER_LABEL = Uint8Array.of(0x5c, 0x2e, 0x2f, 0x2f, 0x5e, 0x5c);

interface ExpandedKey {
  readonly publicKeyM: Uint8Array;
  readonly secretKeyM: Uint8Array;
  readonly scalar: Uint8Array;
  readonly publicKeyX: Uint8Array;
}

/**
 * X-Wing (draft-connolly-cfrg-xwing-kem): ML-KEM-768 and X25519, sound while either one is. The
 * secret key is the 32-byte seed. X25519 and the hashes come from the back end.
 *
 * An X25519 output of zero is not refused: the draft omits that check, and the combiner binds both
 * X25519 public values, so such an output only leaves ML-KEM to protect the secret.
 */
export function xWing(backend: Backend): Kem {
  const expand = (seed: Uint8Array): ExpandedKey => {
    const expanded = backend.shake256(seed, EXPANDED_LENGTH);
    const { publicKey, secretKey } = mlKem768.keygen(expanded.subarray(0, mlKem768.seedLength));
    const scalar = expanded.slice(mlKem768.seedLength);
    wipe(expanded);
    return { publicKeyM: publicKey, secretKeyM: secretKey, scalar, publicKeyX: backend.x25519Public(scalar) };
  };

  const combine = (ssM: Uint8Array, ssX: Uint8Array, ctX: Uint8Array, pkX: Uint8Array): Uint8Array => {
    const input = concat(ssM, ssX, ctX, pkX, COMBINER_LABEL);
    const sharedSecret = backend.sha3_256(input);
    wipe(input, ssM, ssX);
    return sharedSecret;
  };

  const checkPublicKey = (publicKey: Uint8Array): void => {
    checkLength(publicKey, PUBLIC_KEY_LENGTH, 'BAD_KEM_KEY', `the ${NAME} public key`);
    mlKem768.checkPublicKey(publicKey.subarray(0, mlKem768.publicKeyLength));
  };

  return {
    name: NAME,
    publicKeyLength: PUBLIC_KEY_LENGTH,
    secretKeyLength: SEED_LENGTH,
    ciphertextLength: CIPHERTEXT_LENGTH,
    sharedSecretLength: SHARED_SECRET_LENGTH,
    seedLength: SEED_LENGTH,
    coinsLength: COINS_LENGTH,
    keygen(seed) {
      checkLength(seed, SEED_LENGTH, 'BAD_KEM_SEED', `the ${NAME} seed`);
      const key = expand(seed);
      wipe(key.secretKeyM, key.scalar);
      return { publicKey: concat(key.publicKeyM, key.publicKeyX), secretKey: seed.slice() };
    },
    encapsulate(publicKey, coins) {
      checkPublicKey(publicKey);
      checkLength(coins, COINS_LENGTH, 'BAD_KEM_COINS', `the ${NAME} coins`);
      const publicKeyX = publicKey.subarray(mlKem768.publicKeyLength);
      const scalar = coins.subarray(mlKem768.coinsLength);
      const inner = mlKem768.encapsulate(
        publicKey.subarray(0, mlKem768.publicKeyLength),
        coins.subarray(0, mlKem768.coinsLength),
      );
      const ciphertextX = backend.x25519Public(scalar);
      const secretX = backend.x25519(scalar, publicKeyX);
      return {
        ciphertext: concat(inner.ciphertext, ciphertextX),
        sharedSecret: combine(inner.sharedSecret, secretX, ciphertextX, publicKeyX),
      };
    },
    decapsulate(ciphertext, secretKey) {
      checkLength(ciphertext, CIPHERTEXT_LENGTH, 'BAD_KEM_CIPHERTEXT', `the ${NAME} ciphertext`);
      checkLength(secretKey, SEED_LENGTH, 'BAD_KEM_KEY', `the ${NAME} secret key`);
      const key = expand(secretKey);
      const ciphertextX = ciphertext.subarray(mlKem768.ciphertextLength);
      const secretM = mlKem768.decapsulate(ciphertext.subarray(0, mlKem768.ciphertextLength), key.secretKeyM);
      const secretX = backend.x25519(key.scalar, ciphertextX);
      wipe(key.secretKeyM, key.scalar);
      return combine(secretM, secretX, ciphertextX, key.publicKeyX);
    },
    checkPublicKey,
  };
}
