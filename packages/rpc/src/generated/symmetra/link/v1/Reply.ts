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
   * The call did not reach a session. Not authenticated: SESSION_LOST, NODE_UNREACHABLE, BUS_TIMEOUT, RATE_LIMITED,
   * LINK_NOT_BOUND, METHOD_NOT_ALLOWED, MESSAGE_TOO_LARGE, BAD_MESSAGE, NODE_UNKNOWN, AUTHENTICATION_FAILED,
   * MESSAGE_REPLAYED, SESSION_EXHAUSTED or INTERNAL.
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
   * The call did not reach a session. Not authenticated: SESSION_LOST, NODE_UNREACHABLE, BUS_TIMEOUT, RATE_LIMITED,
   * LINK_NOT_BOUND, METHOD_NOT_ALLOWED, MESSAGE_TOO_LARGE, BAD_MESSAGE, NODE_UNKNOWN, AUTHENTICATION_FAILED,
   * MESSAGE_REPLAYED, SESSION_EXHAUSTED or INTERNAL.
   */
  'transportError'?: (string);
  'outcome'?: "sealed"|"transportError";
}
