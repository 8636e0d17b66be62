// Original file: proto/symmetra/link/v1/link.proto

import type { Call as _symmetra_link_v1_Call, Call__Output as _symmetra_link_v1_Call__Output } from '../../../symmetra/link/v1/Call.js';

/**
 * Frames from the device.
 */
export interface ConnectRequest {
  /**
   * Calls, in any number.
   */
  'calls'?: (_symmetra_link_v1_Call)[];
}

/**
 * Frames from the device.
 */
export interface ConnectRequest__Output {
  /**
   * Calls, in any number.
   */
  'calls': (_symmetra_link_v1_Call__Output)[];
}
