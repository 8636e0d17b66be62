// Original file: proto/symmetra/group/v1/group.proto


export interface ConfirmRequest {
  /**
   * 16 bytes.
   */
  'groupId'?: (Buffer | Uint8Array | string);
  /**
   * Epoch id: the hash of the header.
   */
  'epochId'?: (Buffer | Uint8Array | string);
}

export interface ConfirmRequest__Output {
  /**
   * 16 bytes.
   */
  'groupId': (Buffer);
  /**
   * Epoch id: the hash of the header.
   */
  'epochId': (Buffer);
}
