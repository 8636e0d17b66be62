// Original file: proto/symmetra/pairwise/v1/pairwise.proto

import type { Limits as _symmetra_pairwise_v1_Limits, Limits__Output as _symmetra_pairwise_v1_Limits__Output } from '../../../symmetra/pairwise/v1/Limits.js';
import type { Presence as _symmetra_pairwise_v1_Presence, Presence__Output as _symmetra_pairwise_v1_Presence__Output } from '../../../symmetra/pairwise/v1/Presence.js';

export interface NegotiateResponse {
  /**
   * Hash of the header that the node approved (PAIR-3).
   */
  'headerHash'?: (Buffer | Uint8Array | string);
  /**
   * Limits granted by this node: never above those asked.
   */
  'granted'?: (_symmetra_pairwise_v1_Limits | null);
  /**
   * The responder's presence as this node knows it.
   */
  'responder'?: (_symmetra_pairwise_v1_Presence | null);
}

export interface NegotiateResponse__Output {
  /**
   * Hash of the header that the node approved (PAIR-3).
   */
  'headerHash': (Buffer);
  /**
   * Limits granted by this node: never above those asked.
   */
  'granted': (_symmetra_pairwise_v1_Limits__Output | null);
  /**
   * The responder's presence as this node knows it.
   */
  'responder': (_symmetra_pairwise_v1_Presence__Output | null);
}
