// Original file: proto/symmetra/pairwise/v1/pairwise.proto


/**
 * Limits of a key.
 */
export interface Limits {
  /**
   * Seconds from the confirmation until the key may not be used any more.
   */
  'lifetimeSeconds'?: (number);
  /**
   * How often the key may be used; 0 means without limit.
   */
  'uses'?: (number);
}

/**
 * Limits of a key.
 */
export interface Limits__Output {
  /**
   * Seconds from the confirmation until the key may not be used any more.
   */
  'lifetimeSeconds': (number);
  /**
   * How often the key may be used; 0 means without limit.
   */
  'uses': (number);
}
