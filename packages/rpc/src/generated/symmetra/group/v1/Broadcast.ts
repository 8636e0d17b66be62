// Original file: proto/symmetra/group/v1/group.proto


/**
 * What a node signs for all members (GRP-7, GRP-10). It travels unsealed between nodes and on links.
 */
export interface Broadcast {
  /**
   * Canonical bytes.
   */
  'content'?: (Buffer | Uint8Array | string);
  /**
   * ML-DSA-65 signature by the node that the content names.
   */
  'signature'?: (Buffer | Uint8Array | string);
}

/**
 * What a node signs for all members (GRP-7, GRP-10). It travels unsealed between nodes and on links.
 */
export interface Broadcast__Output {
  /**
   * Canonical bytes.
   */
  'content': (Buffer);
  /**
   * ML-DSA-65 signature by the node that the content names.
   */
  'signature': (Buffer);
}
