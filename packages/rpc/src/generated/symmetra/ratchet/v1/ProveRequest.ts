// Original file: proto/symmetra/ratchet/v1/ratchet.proto


export interface ProveRequest {
  /**
   * The node that asked; empty means the node that is called.
   */
  'node'?: (string);
  /**
   * The proof, canonical bytes (ATK-9).
   */
  'proof'?: (Buffer | Uint8Array | string);
}

export interface ProveRequest__Output {
  /**
   * The node that asked; empty means the node that is called.
   */
  'node': (string);
  /**
   * The proof, canonical bytes (ATK-9).
   */
  'proof': (Buffer);
}
