// Original file: proto/symmetra/link/v1/link.proto

import type { Reply as _symmetra_link_v1_Reply, Reply__Output as _symmetra_link_v1_Reply__Output } from '../../../symmetra/link/v1/Reply.js';
import type { Event as _symmetra_link_v1_Event, Event__Output as _symmetra_link_v1_Event__Output } from '../../../symmetra/link/v1/Event.js';

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
}
