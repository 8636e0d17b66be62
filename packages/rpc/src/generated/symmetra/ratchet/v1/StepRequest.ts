// Original file: proto/symmetra/ratchet/v1/ratchet.proto


export interface StepRequest {
  /**
   * The node that shall answer; empty means the node that is called.
   */
  'node'?: (string);
  /**
   * R1, canonical bytes (ATK-2).
   */
  'r1'?: (Buffer | Uint8Array | string);
}

export interface StepRequest__Output {
  /**
   * The node that shall answer; empty means the node that is called.
   */
  'node': (string);
  /**
   * R1, canonical bytes (ATK-2).
   */
  'r1': (Buffer);
}
