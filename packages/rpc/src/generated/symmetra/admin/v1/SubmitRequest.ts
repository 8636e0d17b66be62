// Original file: proto/symmetra/admin/v1/admin.proto

import type { ControlNotice as _symmetra_link_v1_ControlNotice, ControlNotice__Output as _symmetra_link_v1_ControlNotice__Output } from '../../../symmetra/link/v1/ControlNotice.js';

export interface SubmitRequest {
  /**
   * The event and its signatures.
   */
  'event'?: (_symmetra_link_v1_ControlNotice | null);
}

export interface SubmitRequest__Output {
  /**
   * The event and its signatures.
   */
  'event': (_symmetra_link_v1_ControlNotice__Output | null);
}
