// Original file: proto/symmetra/entropy/v1/entropy.proto


/**
 * What a source is said to be.
 */
export interface SourceDescription {
  /**
   * 1 to 32 of a-z, 0-9 and `-`.
   */
  'name'?: (string);
  /**
   * How its samples come to the server, such as `detector` or `file`.
   */
  'kind'?: (string);
  /**
   * Whether a physical process is measured (SP 800-90B, 2.2).
   */
  'physical'?: (boolean);
  /**
   * Whether that process is a quantum one (ITU-T X.1702).
   */
  'quantum'?: (boolean);
  /**
   * Whether a program computes it.
   */
  'simulated'?: (boolean);
  /**
   * Whether the samples are digitised noise that nothing has conditioned.
   */
  'raw'?: (boolean);
  /**
   * 1 to 8; a sample fills the low bits of its byte.
   */
  'bitsPerSample'?: (number);
  /**
   * The claimed min-entropy of a sample, in bits; 0 when nothing is claimed.
   */
  'minEntropyPerSample'?: (number | string);
}

/**
 * What a source is said to be.
 */
export interface SourceDescription__Output {
  /**
   * 1 to 32 of a-z, 0-9 and `-`.
   */
  'name': (string);
  /**
   * How its samples come to the server, such as `detector` or `file`.
   */
  'kind': (string);
  /**
   * Whether a physical process is measured (SP 800-90B, 2.2).
   */
  'physical': (boolean);
  /**
   * Whether that process is a quantum one (ITU-T X.1702).
   */
  'quantum': (boolean);
  /**
   * Whether a program computes it.
   */
  'simulated': (boolean);
  /**
   * Whether the samples are digitised noise that nothing has conditioned.
   */
  'raw': (boolean);
  /**
   * 1 to 8; a sample fills the low bits of its byte.
   */
  'bitsPerSample': (number);
  /**
   * The claimed min-entropy of a sample, in bits; 0 when nothing is claimed.
   */
  'minEntropyPerSample': (number);
}
