// Original file: proto/symmetra/pairwise/v1/pairwise.proto


export interface NegotiateRequest {
  /**
   * The header, canonical bytes (PAIR-1).
   */
  'header'?: (Buffer | Uint8Array | string);
  /**
   * This node's share of S, 32 bytes.
   */
  'share'?: (Buffer | Uint8Array | string);
  /**
   * The initiator's ephemeral KEM public key; empty when the header says "none".
   */
  'ephemeralKey'?: (Buffer | Uint8Array | string);
}

export interface NegotiateRequest__Output {
  /**
   * The header, canonical bytes (PAIR-1).
   */
  'header': (Buffer);
  /**
   * This node's share of S, 32 bytes.
   */
  'share': (Buffer);
  /**
   * The initiator's ephemeral KEM public key; empty when the header says "none".
   */
  'ephemeralKey': (Buffer);
}
