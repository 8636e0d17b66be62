// Original file: proto/symmetra/admin/v1/admin.proto

import type { EventReceipt as _symmetra_admin_v1_EventReceipt, EventReceipt__Output as _symmetra_admin_v1_EventReceipt__Output } from '../../../symmetra/admin/v1/EventReceipt.js';
import type { Long } from '@grpc/proto-loader';

export interface SubmitResponse {
  /**
   * Number of the event.
   */
  'number'?: (number | string | Long);
  /**
   * One receipt per node of the descriptor.
   */
  'receipts'?: (_symmetra_admin_v1_EventReceipt)[];
}

export interface SubmitResponse__Output {
  /**
   * Number of the event.
   */
  'number': (number);
  /**
   * One receipt per node of the descriptor.
   */
  'receipts': (_symmetra_admin_v1_EventReceipt__Output)[];
}
