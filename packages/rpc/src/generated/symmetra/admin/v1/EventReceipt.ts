// Original file: proto/symmetra/admin/v1/admin.proto


/**
 * One node's receipt for an event.
 */
export interface EventReceipt {
  /**
   * The node.
   */
  'node'?: (string);
  /**
   * True when the node has verified and applied the event.
   */
  'applied'?: (boolean);
  /**
   * Stable error code when it has not.
   */
  'code'?: (string);
}

/**
 * One node's receipt for an event.
 */
export interface EventReceipt__Output {
  /**
   * The node.
   */
  'node': (string);
  /**
   * True when the node has verified and applied the event.
   */
  'applied': (boolean);
  /**
   * Stable error code when it has not.
   */
  'code': (string);
}
