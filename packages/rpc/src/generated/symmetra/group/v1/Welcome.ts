// Original file: proto/symmetra/group/v1/group.proto

import type { Long } from '@grpc/proto-loader';

/**
 * An event to a member (GRP-8).
 */
export interface Welcome {
  /**
   * The header, canonical bytes.
   */
  'header'?: (Buffer | Uint8Array | string);
  'tag'?: (Buffer | Uint8Array | string);
  /**
   * The node's share of S, 32 bytes; empty when the node does not keep it any more.
   */
  'share'?: (Buffer | Uint8Array | string);
  /**
   * The member's place.
   */
  'place'?: (number);
  /**
   * Step of the node's tree.
   */
  'step'?: (number | string | Long);
  /**
   * The keys of the path, from the leaf to the root, 32 bytes each, one after another.
   */
  'pathKeys'?: (Buffer | Uint8Array | string);
}

/**
 * An event to a member (GRP-8).
 */
export interface Welcome__Output {
  /**
   * The header, canonical bytes.
   */
  'header': (Buffer);
  'tag': (Buffer);
  /**
   * The node's share of S, 32 bytes; empty when the node does not keep it any more.
   */
  'share': (Buffer);
  /**
   * The member's place.
   */
  'place': (number);
  /**
   * Step of the node's tree.
   */
  'step': (number);
  /**
   * The keys of the path, from the leaf to the root, 32 bytes each, one after another.
   */
  'pathKeys': (Buffer);
}
