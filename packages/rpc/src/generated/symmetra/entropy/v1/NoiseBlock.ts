// Original file: proto/symmetra/entropy/v1/entropy.proto

import type { Long } from '@grpc/proto-loader';

export interface NoiseBlock {
  /**
   * 0 in the first block of a stream, and one more in each that follows.
   */
  'sequence'?: (number | string | Long);
  /**
   * A byte each; at least one.
   */
  'samples'?: (Buffer | Uint8Array | string);
}

export interface NoiseBlock__Output {
  /**
   * 0 in the first block of a stream, and one more in each that follows.
   */
  'sequence': (number);
  /**
   * A byte each; at least one.
   */
  'samples': (Buffer);
}
