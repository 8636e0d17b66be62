import { SymmetraError, equalConstantTime, suites, utf8 } from '@symmetra/crypto';
import type { Kem, Suite } from '@symmetra/crypto';

/** Id of the test-only suite. No production table contains it. */
export const CHEAP_SUITE_ID = 240;

const base = suites.get(1);
const LENGTH = 32;
const KEY_DOMAIN = utf8('cheap key');
const SECRET_DOMAIN = utf8('cheap secret');

/**
 * Looks like a KEM and hides nothing: whoever sees a ciphertext and a public key knows the secret. It exists so that
 * thousands of simulated runs fit into seconds.
 */
const cheapKem: Kem = {
  name: 'cheap',
  publicKeyLength: LENGTH,
  secretKeyLength: LENGTH,
  ciphertextLength: LENGTH,
  sharedSecretLength: 32,
  seedLength: LENGTH,
  coinsLength: LENGTH,
  keygen(seed) {
    return { publicKey: base.hash(KEY_DOMAIN, seed), secretKey: seed.slice() };
  },
  encapsulate(publicKey, coins) {
    cheapKem.checkPublicKey(publicKey);
    return { ciphertext: coins.slice(), sharedSecret: base.hash(SECRET_DOMAIN, publicKey, coins) };
  },
  decapsulate(ciphertext, secretKey) {
    if (ciphertext.length !== LENGTH) {
      throw new SymmetraError('BAD_KEM_CIPHERTEXT', 'the cheap ciphertext must be 32 bytes');
    }
    return base.hash(SECRET_DOMAIN, base.hash(KEY_DOMAIN, secretKey), ciphertext);
  },
  checkPublicKey(publicKey) {
    if (publicKey.length !== LENGTH || equalConstantTime(publicKey, new Uint8Array(LENGTH))) {
      throw new SymmetraError('BAD_KEM_KEY', 'the cheap public key must be 32 bytes that are not zero');
    }
  },
};

/** Suite 1 with a KEM made of hashes, for simulations alone. */
export const cheapSuite: Suite = {
  ...base,
  id: CHEAP_SUITE_ID,
  name: 'cheap, for tests only',
  kem: cheapKem,
};
