// Original file: proto/symmetra/enrolment/v1/enrolment.proto


export interface OfferRequest {
  /**
   * The node that shall answer; empty means the node that is called.
   */
  'node'?: (string);
  /**
   * The offer message, canonical bytes (ENR-2).
   */
  'offer'?: (Buffer | Uint8Array | string);
}

export interface OfferRequest__Output {
  /**
   * The node that shall answer; empty means the node that is called.
   */
  'node': (string);
  /**
   * The offer message, canonical bytes (ENR-2).
   */
  'offer': (Buffer);
}
