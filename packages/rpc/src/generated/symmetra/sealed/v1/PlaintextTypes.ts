// Original file: proto/symmetra/sealed/v1/sealed.proto


/**
 * The protobuf types inside the ciphertext of a method that takes and returns Sealed, or inside the body of a signed
 * administrative request and its reply.
 */
export interface PlaintextTypes {
  /**
   * Full name of the request's plaintext type.
   */
  'request'?: (string);
  /**
   * Full name of the reply's plaintext type.
   */
  'reply'?: (string);
}

/**
 * The protobuf types inside the ciphertext of a method that takes and returns Sealed, or inside the body of a signed
 * administrative request and its reply.
 */
export interface PlaintextTypes__Output {
  /**
   * Full name of the request's plaintext type.
   */
  'request': (string);
  /**
   * Full name of the reply's plaintext type.
   */
  'reply': (string);
}
