// Original file: proto/symmetra/group/v1/group.proto


export interface RenewRequest {
  /**
   * 16 bytes.
   */
  'groupId'?: (Buffer | Uint8Array | string);
  /**
   * Epoch id of the epoch that is used up.
   */
  'epochId'?: (Buffer | Uint8Array | string);
}

export interface RenewRequest__Output {
  /**
   * 16 bytes.
   */
  'groupId': (Buffer);
  /**
   * Epoch id of the epoch that is used up.
   */
  'epochId': (Buffer);
}
