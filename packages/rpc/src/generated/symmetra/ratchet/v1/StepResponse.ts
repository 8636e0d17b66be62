// Original file: proto/symmetra/ratchet/v1/ratchet.proto


export interface StepResponse {
  /**
   * R2, canonical bytes (ATK-4).
   */
  'r2'?: (Buffer | Uint8Array | string);
  /**
   * A challenge, canonical bytes (ATK-8): the request came from a state that the node's chain has left.
   */
  'challenge'?: (Buffer | Uint8Array | string);
  'outcome'?: "r2"|"challenge";
}

export interface StepResponse__Output {
  /**
   * R2, canonical bytes (ATK-4).
   */
  'r2'?: (Buffer);
  /**
   * A challenge, canonical bytes (ATK-8): the request came from a state that the node's chain has left.
   */
  'challenge'?: (Buffer);
  'outcome'?: "r2"|"challenge";
}
