// Original file: proto/symmetra/group/v1/group.proto


/**
 * A member at its place.
 */
export interface RosterEntry {
  'place'?: (number);
  /**
   * Device id, 32 bytes.
   */
  'device'?: (Buffer | Uint8Array | string);
  /**
   * Whether it confirmed the epoch in force to this node since that started.
   */
  'confirmed'?: (boolean);
}

/**
 * A member at its place.
 */
export interface RosterEntry__Output {
  'place': (number);
  /**
   * Device id, 32 bytes.
   */
  'device': (Buffer);
  /**
   * Whether it confirmed the epoch in force to this node since that started.
   */
  'confirmed': (boolean);
}
