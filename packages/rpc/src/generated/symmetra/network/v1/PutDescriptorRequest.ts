// Original file: proto/symmetra/network/v1/network.proto


export interface PutDescriptorRequest {
  /**
   * Canonical bytes of the descriptor (CTL-1).
   */
  'descriptor'?: (Buffer | Uint8Array | string);
  /**
   * ML-DSA-65 signature of the network root over those bytes.
   */
  'signature'?: (Buffer | Uint8Array | string);
  /**
   * The root's public key.
   */
  'rootPublicKey'?: (Buffer | Uint8Array | string);
}

export interface PutDescriptorRequest__Output {
  /**
   * Canonical bytes of the descriptor (CTL-1).
   */
  'descriptor': (Buffer);
  /**
   * ML-DSA-65 signature of the network root over those bytes.
   */
  'signature': (Buffer);
  /**
   * The root's public key.
   */
  'rootPublicKey': (Buffer);
}
