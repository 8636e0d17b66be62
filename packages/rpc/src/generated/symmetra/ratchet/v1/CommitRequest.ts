// Original file: proto/symmetra/ratchet/v1/ratchet.proto


export interface CommitRequest {
  /**
   * The node that shall acknowledge; empty means the node that is called.
   */
  'node'?: (string);
  /**
   * R3, canonical bytes (ATK-5).
   */
  'r3'?: (Buffer | Uint8Array | string);
}

export interface CommitRequest__Output {
  /**
   * The node that shall acknowledge; empty means the node that is called.
   */
  'node': (string);
  /**
   * R3, canonical bytes (ATK-5).
   */
  'r3': (Buffer);
}
