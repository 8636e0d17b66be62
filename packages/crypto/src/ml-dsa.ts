import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';
import { checkLength } from './backend.js';

/** Bytes of the seed of an ML-DSA-65 key pair. */
export const SIGNATURE_SEED_LENGTH = 32;
/** Bytes of an ML-DSA-65 public key (FIPS 204 table 2). */
export const SIGNATURE_PUBLIC_KEY_LENGTH = 1952;
/** Bytes of an ML-DSA-65 secret key. */
export const SIGNATURE_SECRET_KEY_LENGTH = 4032;
/** Bytes of an ML-DSA-65 signature. */
export const SIGNATURE_LENGTH = 3309;

/** An ML-DSA-65 key pair. The secret key belongs to the caller, who wipes it. */
export interface SignatureKeyPair {
  readonly publicKey: Uint8Array;
  readonly secretKey: Uint8Array;
}

/** ML-DSA.KeyGen_internal of FIPS 204 from a 32-byte seed. @throws BAD_SIGNATURE_SEED */
export function mlDsa65Keygen(seed: Uint8Array): SignatureKeyPair {
  checkLength(seed, SIGNATURE_SEED_LENGTH, 'BAD_SIGNATURE_SEED', 'the signature seed');
  const { publicKey, secretKey } = ml_dsa65.keygen(seed);
  return { publicKey, secretKey };
}

/** ML-DSA.Sign of FIPS 204, the deterministic variant. @throws BAD_SIGNATURE_KEY */
export function mlDsa65Sign(message: Uint8Array, secretKey: Uint8Array, context: Uint8Array): Uint8Array {
  checkLength(secretKey, SIGNATURE_SECRET_KEY_LENGTH, 'BAD_SIGNATURE_KEY', 'the signature secret key');
  return ml_dsa65.sign(message, secretKey, { context, extraEntropy: false });
}

/** ML-DSA.Verify of FIPS 204. Wrong lengths are a plain false. */
export function mlDsa65Verify(
  signature: Uint8Array,
  message: Uint8Array,
  publicKey: Uint8Array,
  context: Uint8Array,
): boolean {
  if (signature.length !== SIGNATURE_LENGTH || publicKey.length !== SIGNATURE_PUBLIC_KEY_LENGTH) return false;
  return ml_dsa65.verify(signature, message, publicKey, { context });
}
