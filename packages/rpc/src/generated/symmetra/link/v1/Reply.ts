// Original file: proto/symmetra/link/v1/link.proto

import type { Sealed as _symmetra_sealed_v1_Sealed, Sealed__Output as _symmetra_sealed_v1_Sealed__Output } from '../../../symmetra/sealed/v1/Sealed.js';
import type { Long } from '@grpc/proto-loader';

/**
 * The reply to one call.
 */
export interface Reply {
  /**
   * The id of the call.
   */
  'id'?: (number | string | Long);
  /**
   * The sealed outcome: a reply or a refusal.
   */
  'sealed'?: (_symmetra_sealed_v1_Sealed | null);
  /**
   * The call did not reach a session: SESSION_LOST, NODE_UNREACHABLE or RATE_LIMITED. Not authenticated.
   */
  'transportError'?: (string);
  'outcome'?: "sealed"|"transportError";
}

/**
 * The reply to one call.
 */
export interface Reply__Output {
  /**
   * The id of the call.
   */
  'id': (number);
  /**
   * The sealed outcome: a reply or a refusal.
   */
  'sealed'?: (_symmetra_sealed_v1_Sealed__Output | null);
  /**
   * The call did not reach a session: SESSION_LOST, NODE_UNREACHABLE or RATE_LIMITED. Not authenticated.
   */
  'transportError'?: (string);
  'outcome'?: "sealed"|"transportError";
}
