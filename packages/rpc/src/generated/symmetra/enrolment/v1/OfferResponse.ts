// Original file: proto/symmetra/enrolment/v1/enrolment.proto


export interface OfferResponse {
  /**
   * The answer message, canonical bytes (ENR-4).
   */
  'answer'?: (Buffer | Uint8Array | string);
}

export interface OfferResponse__Output {
  /**
   * The answer message, canonical bytes (ENR-4).
   */
  'answer': (Buffer);
}
