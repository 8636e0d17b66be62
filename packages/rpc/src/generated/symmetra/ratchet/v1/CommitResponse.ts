// Original file: proto/symmetra/ratchet/v1/ratchet.proto


export interface CommitResponse {
  /**
   * R4, canonical bytes (ATK-7).
   */
  'r4'?: (Buffer | Uint8Array | string);
}

export interface CommitResponse__Output {
  /**
   * R4, canonical bytes (ATK-7).
   */
  'r4': (Buffer);
}
