// Original file: proto/symmetra/session/v1/session.proto

import type { Long } from '@grpc/proto-loader';

export interface AttachResponse {
  /**
   * Number of the last event that the node sent in this session; 0 when none.
   */
  'lastEvent'?: (number | string | Long);
  /**
   * Version of the newest descriptor that the node holds.
   */
  'descriptorVersion'?: (number | string | Long);
  /**
   * The device's stage at this node.
   */
  'stage'?: (string);
}

export interface AttachResponse__Output {
  /**
   * Number of the last event that the node sent in this session; 0 when none.
   */
  'lastEvent': (number);
  /**
   * Version of the newest descriptor that the node holds.
   */
  'descriptorVersion': (number);
  /**
   * The device's stage at this node.
   */
  'stage': (string);
}
