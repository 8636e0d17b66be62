// Original file: proto/symmetra/group/v1/group.proto


export interface DealRequest {
  /**
   * The header, canonical bytes (GRP-1).
   */
  'header'?: (Buffer | Uint8Array | string);
  /**
   * MAC over the header under the group's check key (GRP-3).
   */
  'tag'?: (Buffer | Uint8Array | string);
  /**
   * This node's share of S, 32 bytes.
   */
  'share'?: (Buffer | Uint8Array | string);
  /**
   * Device ids of the members that leave their places, 32 bytes each, one after another; at most 512.
   */
  'removed'?: (Buffer | Uint8Array | string);
  /**
   * Device ids of the members that take a place, likewise; at most 512. Empty when they were staged.
   */
  'added'?: (Buffer | Uint8Array | string);
  /**
   * How many device ids were staged for this deal; 0 when `added` names them.
   */
  'staged'?: (number);
}

export interface DealRequest__Output {
  /**
   * The header, canonical bytes (GRP-1).
   */
  'header': (Buffer);
  /**
   * MAC over the header under the group's check key (GRP-3).
   */
  'tag': (Buffer);
  /**
   * This node's share of S, 32 bytes.
   */
  'share': (Buffer);
  /**
   * Device ids of the members that leave their places, 32 bytes each, one after another; at most 512.
   */
  'removed': (Buffer);
  /**
   * Device ids of the members that take a place, likewise; at most 512. Empty when they were staged.
   */
  'added': (Buffer);
  /**
   * How many device ids were staged for this deal; 0 when `added` names them.
   */
  'staged': (number);
}
