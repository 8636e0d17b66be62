// Original file: proto/symmetra/link/v1/link.proto


/**
 * One administrator's signature.
 */
export interface ControlSignature {
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
 * One administrator's signature.
 */
export interface ControlSignature__Output {
  /**
   * SHA-256 of the administrator's public key.
   */
  'administrator': (Buffer);
  /**
   * ML-DSA-65 signature.
   */
  'signature': (Buffer);
}
