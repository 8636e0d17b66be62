// Original file: proto/symmetra/admin/v1/admin.proto


/**
 * What the last ratchet step at one node exchanged, for the promotion code (step ATK-10).
 */
export interface CodePart {
  /**
   * H(R1, R2) of the step, as long as the hash of its suite: 32 or 64 bytes.
   */
  'transcriptHash'?: (Buffer | Uint8Array | string);
  /**
   * The device's code nonce, 32 bytes: committed to in R1, revealed in R3.
   */
  'deviceNonce'?: (Buffer | Uint8Array | string);
  /**
   * The node's code nonce, 32 bytes, from R2.
   */
  'nodeNonce'?: (Buffer | Uint8Array | string);
}

/**
 * What the last ratchet step at one node exchanged, for the promotion code (step ATK-10).
 */
export interface CodePart__Output {
  /**
   * H(R1, R2) of the step, as long as the hash of its suite: 32 or 64 bytes.
   */
  'transcriptHash': (Buffer);
  /**
   * The device's code nonce, 32 bytes: committed to in R1, revealed in R3.
   */
  'deviceNonce': (Buffer);
  /**
   * The node's code nonce, 32 bytes, from R2.
   */
  'nodeNonce': (Buffer);
}
