// Original file: proto/symmetra/pairwise/v1/pairwise.proto

import type { Limits as _symmetra_pairwise_v1_Limits, Limits__Output as _symmetra_pairwise_v1_Limits__Output } from '../../../symmetra/pairwise/v1/Limits.js';
import type { Presence as _symmetra_pairwise_v1_Presence, Presence__Output as _symmetra_pairwise_v1_Presence__Output } from '../../../symmetra/pairwise/v1/Presence.js';

/**
 * An event to the responder (PAIR-4).
 */
export interface Delivery {
  /**
   * The header, canonical bytes, as the initiator sent it.
   */
  'header'?: (Buffer | Uint8Array | string);
  /**
   * The node's share of S, 32 bytes.
   */
  'share'?: (Buffer | Uint8Array | string);
  /**
   * The initiator's ephemeral KEM public key; empty when the header says "none".
   */
  'ephemeralKey'?: (Buffer | Uint8Array | string);
  /**
   * Limits granted by this node.
   */
  'granted'?: (_symmetra_pairwise_v1_Limits | null);
  /**
   * The initiator's presence as this node knows it.
   */
  'initiator'?: (_symmetra_pairwise_v1_Presence | null);
}

/**
 * An event to the responder (PAIR-4).
 */
export interface Delivery__Output {
  /**
   * The header, canonical bytes, as the initiator sent it.
   */
  'header': (Buffer);
  /**
   * The node's share of S, 32 bytes.
   */
  'share': (Buffer);
  /**
   * The initiator's ephemeral KEM public key; empty when the header says "none".
   */
  'ephemeralKey': (Buffer);
  /**
   * Limits granted by this node.
   */
  'granted': (_symmetra_pairwise_v1_Limits__Output | null);
  /**
   * The initiator's presence as this node knows it.
   */
  'initiator': (_symmetra_pairwise_v1_Presence__Output | null);
}
