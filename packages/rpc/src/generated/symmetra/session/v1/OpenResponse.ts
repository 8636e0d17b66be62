// Original file: proto/symmetra/session/v1/session.proto


export interface OpenResponse {
  /**
   * The answer message, canonical bytes (SES-3).
   */
  'answer'?: (Buffer | Uint8Array | string);
  /**
   * A challenge, canonical bytes (ATK-8).
   */
  'challenge'?: (Buffer | Uint8Array | string);
  'outcome'?: "answer"|"challenge";
}

export interface OpenResponse__Output {
  /**
   * The answer message, canonical bytes (SES-3).
   */
  'answer'?: (Buffer);
  /**
   * A challenge, canonical bytes (ATK-8).
   */
  'challenge'?: (Buffer);
  'outcome'?: "answer"|"challenge";
}
