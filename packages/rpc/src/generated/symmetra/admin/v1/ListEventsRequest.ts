// Original file: proto/symmetra/admin/v1/admin.proto

import type { Long } from '@grpc/proto-loader';

export interface ListEventsRequest {
  /**
   * First number wanted, from 1.
   */
  'from'?: (number | string | Long);
  /**
   * At most this many; the node may return fewer.
   */
  'limit'?: (number);
}

export interface ListEventsRequest__Output {
  /**
   * First number wanted, from 1.
   */
  'from': (number);
  /**
   * At most this many; the node may return fewer.
   */
  'limit': (number);
}
