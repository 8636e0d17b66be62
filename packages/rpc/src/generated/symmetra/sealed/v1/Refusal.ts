// Original file: proto/symmetra/sealed/v1/sealed.proto


/**
 * Inside a sealed reply when the call was refused: error code, sentence, and the numbers and ids that explain it.
 */
export interface Refusal {
  /**
   * Stable code, for example PURPOSE_FORBIDDEN; the list stands in docs/protocol/10-errors.md.
   */
  'code'?: (string);
  /**
   * One sentence for a person; carries no secret.
   */
  'message'?: (string);
  /**
   * Numbers and ids that explain the refusal.
   */
  'details'?: ({[key: string]: string});
}

/**
 * Inside a sealed reply when the call was refused: error code, sentence, and the numbers and ids that explain it.
 */
export interface Refusal__Output {
  /**
   * Stable code, for example PURPOSE_FORBIDDEN; the list stands in docs/protocol/10-errors.md.
   */
  'code': (string);
  /**
   * One sentence for a person; carries no secret.
   */
  'message': (string);
  /**
   * Numbers and ids that explain the refusal.
   */
  'details': ({[key: string]: string});
}
