// Original file: proto/symmetra/pairwise/v1/pairwise.proto


export interface RelayRequest {
  /**
   * Device id of the receiver, 32 bytes.
   */
  'peer'?: (Buffer | Uint8Array | string);
  /**
   * A peer message, canonical bytes (PAIR-7 to PAIR-9).
   */
  'message'?: (Buffer | Uint8Array | string);
}

export interface RelayRequest__Output {
  /**
   * Device id of the receiver, 32 bytes.
   */
  'peer': (Buffer);
  /**
   * A peer message, canonical bytes (PAIR-7 to PAIR-9).
   */
  'message': (Buffer);
}
