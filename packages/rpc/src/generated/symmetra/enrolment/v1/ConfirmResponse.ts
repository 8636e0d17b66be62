// Original file: proto/symmetra/enrolment/v1/enrolment.proto


export interface ConfirmResponse {
  /**
   * The acknowledgement message, canonical bytes (ENR-7).
   */
  'acknowledgement'?: (Buffer | Uint8Array | string);
}

export interface ConfirmResponse__Output {
  /**
   * The acknowledgement message, canonical bytes (ENR-7).
   */
  'acknowledgement': (Buffer);
}
