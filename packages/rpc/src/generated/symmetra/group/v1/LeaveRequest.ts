// Original file: proto/symmetra/group/v1/group.proto


export interface LeaveRequest {
  /**
   * 16 bytes.
   */
  'groupId'?: (Buffer | Uint8Array | string);
}

export interface LeaveRequest__Output {
  /**
   * 16 bytes.
   */
  'groupId': (Buffer);
}
