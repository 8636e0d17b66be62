// Original file: proto/symmetra/enrolment/v1/enrolment.proto


export interface IntroduceResponse {
  /**
   * Hash of the header that the new node has from this node (ENR-10).
   */
  'headerHash'?: (Buffer | Uint8Array | string);
}

export interface IntroduceResponse__Output {
  /**
   * Hash of the header that the new node has from this node (ENR-10).
   */
  'headerHash': (Buffer);
}
