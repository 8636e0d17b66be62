// Original file: proto/symmetra/network/v1/network.proto

import type { Long } from '@grpc/proto-loader';

export interface PutDescriptorResponse {
  /**
   * Version of the descriptor that the node has stored; it goes over to it at once.
   */
  'version'?: (number | string | Long);
}

export interface PutDescriptorResponse__Output {
  /**
   * Version of the descriptor that the node has stored; it goes over to it at once.
   */
  'version': (number);
}
