// Original file: proto/symmetra/group/v1/group.proto

import type { Long } from '@grpc/proto-loader';

export interface StageRequest {
  /**
   * 16 bytes.
   */
  'groupId'?: (Buffer | Uint8Array | string);
  /**
   * The epoch that is going to be dealt.
   */
  'epoch'?: (number | string | Long);
  /**
   * Device ids staged for this group and epoch before this part; 0 begins anew.
   */
  'offset'?: (number);
  /**
   * Device ids, 32 bytes each, one after another; at most 1000.
   */
  'members'?: (Buffer | Uint8Array | string);
}

export interface StageRequest__Output {
  /**
   * 16 bytes.
   */
  'groupId': (Buffer);
  /**
   * The epoch that is going to be dealt.
   */
  'epoch': (number);
  /**
   * Device ids staged for this group and epoch before this part; 0 begins anew.
   */
  'offset': (number);
  /**
   * Device ids, 32 bytes each, one after another; at most 1000.
   */
  'members': (Buffer);
}
