// Original file: proto/symmetra/admin/v1/admin.proto

import type { ControlNotice as _symmetra_link_v1_ControlNotice, ControlNotice__Output as _symmetra_link_v1_ControlNotice__Output } from '../../../symmetra/link/v1/ControlNotice.js';

export interface ListEventsResponse {
  /**
   * Events in the order of their numbers.
   */
  'events'?: (_symmetra_link_v1_ControlNotice)[];
}

export interface ListEventsResponse__Output {
  /**
   * Events in the order of their numbers.
   */
  'events': (_symmetra_link_v1_ControlNotice__Output)[];
}
