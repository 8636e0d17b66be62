// Original file: proto/symmetra/pairwise/v1/pairwise.proto


/**
 * Where a device can be found.
 */
export interface Presence {
  /**
   * True when the device is attached to a home node.
   */
  'online'?: (boolean);
  /**
   * Addresses host:port for the direct path.
   */
  'addresses'?: (string)[];
}

/**
 * Where a device can be found.
 */
export interface Presence__Output {
  /**
   * True when the device is attached to a home node.
   */
  'online': (boolean);
  /**
   * Addresses host:port for the direct path.
   */
  'addresses': (string)[];
}
