// Original file: proto/symmetra/link/v1/link.proto

import type { Reply as _symmetra_link_v1_Reply, Reply__Output as _symmetra_link_v1_Reply__Output } from '../../../symmetra/link/v1/Reply.js';
import type { Event as _symmetra_link_v1_Event, Event__Output as _symmetra_link_v1_Event__Output } from '../../../symmetra/link/v1/Event.js';
import type { Broadcast as _symmetra_group_v1_Broadcast, Broadcast__Output as _symmetra_group_v1_Broadcast__Output } from '../../../symmetra/group/v1/Broadcast.js';

/**
 * Frames to the device.
 */
export interface ConnectResponse {
  /**
   * Replies to calls, in any order.
   */
  'replies'?: (_symmetra_link_v1_Reply)[];
  /**
   * Events of any node.
   */
  'events'?: (_symmetra_link_v1_Event)[];
  /**
   * What nodes signed for all members of a group (GRP-7, GRP-10).
   */
  'broadcasts'?: (_symmetra_group_v1_Broadcast)[];
  /**
   * Group messages that a member had passed on (GRP-12).
   */
  'groupMessages'?: (Buffer | Uint8Array | string)[];
}

/**
 * Frames to the device.
 */
export interface ConnectResponse__Output {
  /**
   * Replies to calls, in any order.
   */
  'replies': (_symmetra_link_v1_Reply__Output)[];
  /**
   * Events of any node.
   */
  'events': (_symmetra_link_v1_Event__Output)[];
  /**
   * What nodes signed for all members of a group (GRP-7, GRP-10).
   */
  'broadcasts': (_symmetra_group_v1_Broadcast__Output)[];
  /**
   * Group messages that a member had passed on (GRP-12).
   */
  'groupMessages': (Buffer)[];
}
