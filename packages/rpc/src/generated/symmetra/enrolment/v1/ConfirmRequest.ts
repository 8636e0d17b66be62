// Original file: proto/symmetra/enrolment/v1/enrolment.proto


export interface ConfirmRequest {
  /**
   * The node that shall acknowledge; empty means the node that is called.
   */
  'node'?: (string);
  /**
   * The confirmation message, canonical bytes (ENR-5).
   */
  'confirmation'?: (Buffer | Uint8Array | string);
}

export interface ConfirmRequest__Output {
  /**
   * The node that shall acknowledge; empty means the node that is called.
   */
  'node': (string);
  /**
   * The confirmation message, canonical bytes (ENR-5).
   */
  'confirmation': (Buffer);
}
