// Original file: proto/symmetra/session/v1/session.proto

import type { Long } from '@grpc/proto-loader';

export interface AttachRequest {
  /**
   * The device's home node: events for the device go there.
   */
  'home'?: (string);
  /**
   * Addresses host:port at which peers may reach the device directly; empty when there are none.
   */
  'addresses'?: (string)[];
  /**
   * Number of the last event of this session that the device saw; 0 when none.
   */
  'lastEvent'?: (number | string | Long);
}

export interface AttachRequest__Output {
  /**
   * The device's home node: events for the device go there.
   */
  'home': (string);
  /**
   * Addresses host:port at which peers may reach the device directly; empty when there are none.
   */
  'addresses': (string)[];
  /**
   * Number of the last event of this session that the device saw; 0 when none.
   */
  'lastEvent': (number);
}
