// Original file: proto/symmetra/group/v1/group.proto


export interface DealResponse {
  /**
   * What the node echoes: the hash of header and tag (GRP-5).
   */
  'dealHash'?: (Buffer | Uint8Array | string);
  /**
   * Whether the epoch is in force at this node.
   */
  'inForce'?: (boolean);
}

export interface DealResponse__Output {
  /**
   * What the node echoes: the hash of header and tag (GRP-5).
   */
  'dealHash': (Buffer);
  /**
   * Whether the epoch is in force at this node.
   */
  'inForce': (boolean);
}
