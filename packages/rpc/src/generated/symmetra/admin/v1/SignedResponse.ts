// Original file: proto/symmetra/admin/v1/admin.proto


/**
 * A signed reply: the signature covers the request's hash and the hash of the body.
 */
export interface SignedResponse {
  /**
   * Serialised reply message of the method's plaintext type.
   */
  'body'?: (Buffer | Uint8Array | string);
  /**
   * ML-DSA-65 signature of the node.
   */
  'signature'?: (Buffer | Uint8Array | string);
}

/**
 * A signed reply: the signature covers the request's hash and the hash of the body.
 */
export interface SignedResponse__Output {
  /**
   * Serialised reply message of the method's plaintext type.
   */
  'body': (Buffer);
  /**
   * ML-DSA-65 signature of the node.
   */
  'signature': (Buffer);
}
