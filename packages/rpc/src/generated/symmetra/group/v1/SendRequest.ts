// Original file: proto/symmetra/group/v1/group.proto


export interface SendRequest {
  /**
   * A group message, canonical bytes (GRP-12), at most 4096.
   */
  'message'?: (Buffer | Uint8Array | string);
}

export interface SendRequest__Output {
  /**
   * A group message, canonical bytes (GRP-12), at most 4096.
   */
  'message': (Buffer);
}
