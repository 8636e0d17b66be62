// Original file: proto/symmetra/pairwise/v1/pairwise.proto


export interface RelayResponse {
  /**
   * True when the message was handed to the receiver's link; the receiver's answer is what counts.
   */
  'handedOver'?: (boolean);
}

export interface RelayResponse__Output {
  /**
   * True when the message was handed to the receiver's link; the receiver's answer is what counts.
   */
  'handedOver': (boolean);
}
