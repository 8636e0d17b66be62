// Original file: proto/symmetra/session/v1/session.proto


export interface OpenRequest {
  /**
   * The node that shall answer; empty means the node that is called.
   */
  'node'?: (string);
  /**
   * The open message, canonical bytes (SES-1).
   */
  'open'?: (Buffer | Uint8Array | string);
}

export interface OpenRequest__Output {
  /**
   * The node that shall answer; empty means the node that is called.
   */
  'node': (string);
  /**
   * The open message, canonical bytes (SES-1).
   */
  'open': (Buffer);
}
