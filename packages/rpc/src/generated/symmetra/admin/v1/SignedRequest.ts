// Original file: proto/symmetra/admin/v1/admin.proto

import type { Long } from '@grpc/proto-loader';

/**
 * A signed request: the signature covers network, node, method, the hash of the body, nonce and time.
 */
export interface SignedRequest {
  /**
   * The node that shall answer.
   */
  'node'?: (string);
  /**
   * Serialised request message of the method's plaintext type.
   */
  'body'?: (Buffer | Uint8Array | string);
  /**
   * 32 fresh random bytes.
   */
  'nonce'?: (Buffer | Uint8Array | string);
  /**
   * The administrator's clock, milliseconds since 1970.
   */
  'timeMs'?: (number | string | Long);
  /**
   * SHA-256 of the administrator's public key.
   */
  'administrator'?: (Buffer | Uint8Array | string);
  /**
   * ML-DSA-65 signature.
   */
  'signature'?: (Buffer | Uint8Array | string);
}

/**
 * A signed request: the signature covers network, node, method, the hash of the body, nonce and time.
 */
export interface SignedRequest__Output {
  /**
   * The node that shall answer.
   */
  'node': (string);
  /**
   * Serialised request message of the method's plaintext type.
   */
  'body': (Buffer);
  /**
   * 32 fresh random bytes.
   */
  'nonce': (Buffer);
  /**
   * The administrator's clock, milliseconds since 1970.
   */
  'timeMs': (number);
  /**
   * SHA-256 of the administrator's public key.
   */
  'administrator': (Buffer);
  /**
   * ML-DSA-65 signature.
   */
  'signature': (Buffer);
}
