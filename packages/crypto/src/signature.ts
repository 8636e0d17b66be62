import { labelBytes } from './labels.js';
import type { Label } from './labels.js';
import { mlDsa65Keygen, mlDsa65Sign, mlDsa65Verify } from './ml-dsa.js';
import type { SignatureKeyPair } from './ml-dsa.js';

/** An ML-DSA-65 key pair from a 32-byte seed (FIPS 204). @throws BAD_SIGNATURE_SEED */
export function signatureKeygen(seed: Uint8Array): SignatureKeyPair {
  return mlDsa65Keygen(seed);
}

/**
 * A deterministic ML-DSA-65 signature of 3309 bytes. The label's text is the context string of
 * FIPS 204, so a signature for one purpose says nothing for another.
 * @throws BAD_SIGNATURE_KEY when the secret key has another length.
 */
export function sign(message: Uint8Array, secretKey: Uint8Array, context: Label): Uint8Array {
  return mlDsa65Sign(message, secretKey, labelBytes(context));
}

/** Whether the signature was made over the message for this purpose. Wrong lengths are a plain false. */
export function verify(
  signature: Uint8Array,
  message: Uint8Array,
  publicKey: Uint8Array,
  context: Label,
): boolean {
  return mlDsa65Verify(signature, message, publicKey, labelBytes(context));
}
