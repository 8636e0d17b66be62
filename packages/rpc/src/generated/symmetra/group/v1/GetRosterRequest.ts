// Original file: proto/symmetra/group/v1/group.proto


export interface GetRosterRequest {
  /**
   * 16 bytes.
   */
  'groupId'?: (Buffer | Uint8Array | string);
  /**
   * The first place of the page.
   */
  'from'?: (number);
}

export interface GetRosterRequest__Output {
  /**
   * 16 bytes.
   */
  'groupId': (Buffer);
  /**
   * The first place of the page.
   */
  'from': (number);
}
