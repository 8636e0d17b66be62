// Original file: proto/symmetra/enrolment/v1/enrolment.proto


export interface IntroduceRequest {
  /**
   * The header of the introduction, canonical bytes (ENR-9).
   */
  'header'?: (Buffer | Uint8Array | string);
  /**
   * This node's share of the secret, 32 bytes.
   */
  'share'?: (Buffer | Uint8Array | string);
}

export interface IntroduceRequest__Output {
  /**
   * The header of the introduction, canonical bytes (ENR-9).
   */
  'header': (Buffer);
  /**
   * This node's share of the secret, 32 bytes.
   */
  'share': (Buffer);
}
