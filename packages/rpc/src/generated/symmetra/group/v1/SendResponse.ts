// Original file: proto/symmetra/group/v1/group.proto


export interface SendResponse {
  /**
   * Links to which the message was given by this node; other nodes pass it on to theirs.
   */
  'handedOver'?: (number);
}

export interface SendResponse__Output {
  /**
   * Links to which the message was given by this node; other nodes pass it on to theirs.
   */
  'handedOver': (number);
}
