// Original file: proto/symmetra/admin/v1/admin.proto

import type { Long } from '@grpc/proto-loader';

export interface GetHeadResponse {
  /**
   * Number of the newest event; 0 when there is none.
   */
  'number'?: (number | string | Long);
  /**
   * Hash of the newest event.
   */
  'head'?: (Buffer | Uint8Array | string);
}

export interface GetHeadResponse__Output {
  /**
   * Number of the newest event; 0 when there is none.
   */
  'number': (number);
  /**
   * Hash of the newest event.
   */
  'head': (Buffer);
}
