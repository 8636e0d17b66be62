import { Metadata, status } from '@grpc/grpc-js';
import { SymmetraError } from '@symmetra/crypto';

/** Carries the stable code beside the gRPC status. */
const CODE_KEY = 'symmetra-code';
const CODE_FORM = /^[A-Z][A-Z0-9_]{1,63}$/;
const MAX_MESSAGE_CHARS = 300;
const INTERNAL_MESSAGE = 'the node could not answer the call';

/**
 * The codes that leave a node as they are. Any other error, whatever it is, leaves as INTERNAL with
 * a constant sentence.
 */
const STATUS_BY_CODE: Readonly<Record<string, status>> = {
  // What was sent is wrong.
  BAD_MESSAGE: status.INVALID_ARGUMENT,
  BAD_ENCODING: status.INVALID_ARGUMENT,
  MESSAGE_TOO_LARGE: status.RESOURCE_EXHAUSTED,
  WRONG_VERSION: status.INVALID_ARGUMENT,
  WRONG_NETWORK: status.INVALID_ARGUMENT,
  WRONG_NODE: status.INVALID_ARGUMENT,
  SUITE_UNKNOWN: status.INVALID_ARGUMENT,
  BAD_KEM_KEY: status.INVALID_ARGUMENT,
  BAD_KEM_CIPHERTEXT: status.INVALID_ARGUMENT,
  BAD_EVENT: status.INVALID_ARGUMENT,
  BAD_HEADER: status.INVALID_ARGUMENT,
  BAD_DESCRIPTOR: status.INVALID_ARGUMENT,
  NODE_UNKNOWN: status.INVALID_ARGUMENT,
  // Who sent it is not who it says, or may not.
  AUTHENTICATION_FAILED: status.UNAUTHENTICATED,
  BAD_SIGNATURE: status.UNAUTHENTICATED,
  ROOT_MISMATCH: status.UNAUTHENTICATED,
  MESSAGE_REPLAYED: status.UNAUTHENTICATED,
  REQUEST_REPLAYED: status.UNAUTHENTICATED,
  REQUEST_STALE: status.UNAUTHENTICATED,
  ADMINISTRATOR_UNKNOWN: status.PERMISSION_DENIED,
  METHOD_NOT_ALLOWED: status.PERMISSION_DENIED,
  POLICY_REFUSED: status.PERMISSION_DENIED,
  SUITE_FORBIDDEN: status.PERMISSION_DENIED,
  PURPOSE_FORBIDDEN: status.PERMISSION_DENIED,
  DIRECT_KEM_REQUIRED: status.PERMISSION_DENIED,
  BELOW_FLOOR: status.PERMISSION_DENIED,
  STAGE_TOO_EARLY: status.PERMISSION_DENIED,
  INITIATOR_MISMATCH: status.PERMISSION_DENIED,
  NOT_IN_NODE_SET: status.PERMISSION_DENIED,
  SHARE_MISMATCH: status.INVALID_ARGUMENT,
  EPHEMERAL_KEY_MISMATCH: status.INVALID_ARGUMENT,
  DEVICE_REVOKED: status.PERMISSION_DENIED,
  PEER_REVOKED: status.PERMISSION_DENIED,
  KEY_REVOKED: status.PERMISSION_DENIED,
  DEVICE_UNKNOWN: status.NOT_FOUND,
  PEER_UNKNOWN: status.NOT_FOUND,
  NO_SUCH_SERVICE: status.NOT_FOUND,
  // The state does not allow it.
  DEVICE_ENROLLED: status.FAILED_PRECONDITION,
  TOKEN_UNKNOWN: status.FAILED_PRECONDITION,
  TOKEN_SPENT: status.FAILED_PRECONDITION,
  TOKEN_EXPIRED: status.FAILED_PRECONDITION,
  TOKEN_CONTESTED: status.FAILED_PRECONDITION,
  RESERVATION_UNKNOWN: status.FAILED_PRECONDITION,
  DESCRIPTOR_OLD: status.FAILED_PRECONDITION,
  EPOCH_UNUSED: status.FAILED_PRECONDITION,
  CHAIN_BOUND: status.FAILED_PRECONDITION,
  MESSAGE_LATE: status.FAILED_PRECONDITION,
  SESSION_LOST: status.FAILED_PRECONDITION,
  SESSION_EXHAUSTED: status.FAILED_PRECONDITION,
  KEY_ID_USED: status.FAILED_PRECONDITION,
  NOT_HOME: status.FAILED_PRECONDITION,
  LINK_NOT_BOUND: status.FAILED_PRECONDITION,
  LOG_GAP: status.FAILED_PRECONDITION,
  LOG_BROKEN: status.FAILED_PRECONDITION,
  LOG_FORK: status.FAILED_PRECONDITION,
  LOG_PRUNED: status.FAILED_PRECONDITION,
  EVENT_CONFLICT: status.ABORTED,
  STATE_CONFLICT: status.ABORTED,
  // Groups.
  DEALER_MISMATCH: status.PERMISSION_DENIED,
  GROUP_NOT_MANAGER: status.PERMISSION_DENIED,
  GROUP_NOT_MEMBER: status.PERMISSION_DENIED,
  GROUP_LIMITS: status.PERMISSION_DENIED,
  GROUP_TOO_LARGE: status.PERMISSION_DENIED,
  GROUP_EMPTY: status.INVALID_ARGUMENT,
  MEMBER_TWICE: status.INVALID_ARGUMENT,
  MEMBER_UNKNOWN: status.NOT_FOUND,
  MEMBER_NOT_ENROLLED: status.NOT_FOUND,
  MEMBER_REVOKED: status.PERMISSION_DENIED,
  MEMBER_LEFT: status.FAILED_PRECONDITION,
  DEALER_NOT_MEMBER: status.INVALID_ARGUMENT,
  MANAGER_NOT_MEMBER: status.INVALID_ARGUMENT,
  ROSTER_MISMATCH: status.FAILED_PRECONDITION,
  BAD_BARRIER: status.INVALID_ARGUMENT,
  STAGE_OUT_OF_ORDER: status.FAILED_PRECONDITION,
  GROUP_UNKNOWN: status.NOT_FOUND,
  GROUP_EXISTS: status.FAILED_PRECONDITION,
  GROUP_ENDED: status.FAILED_PRECONDITION,
  GROUP_BEHIND: status.ABORTED,
  GROUP_CONFLICT: status.ABORTED,
  GROUP_EPOCH_OLD: status.ABORTED,
  // Not now.
  GROUP_BUSY: status.RESOURCE_EXHAUSTED,
  RATE_LIMITED: status.RESOURCE_EXHAUSTED,
  TOO_MANY_LINKS: status.RESOURCE_EXHAUSTED,
  LINK_OVERFLOW: status.RESOURCE_EXHAUSTED,
  PEER_BUSY: status.RESOURCE_EXHAUSTED,
  BUS_BUSY: status.RESOURCE_EXHAUSTED,
  INTRODUCTION_BUSY: status.RESOURCE_EXHAUSTED,
  LINK_IDLE: status.ABORTED,
  LINK_REPLACED: status.ABORTED,
  NODE_HALTED: status.UNAVAILABLE,
  STORE_FULL: status.UNAVAILABLE,
  STORE_UNAVAILABLE: status.UNAVAILABLE,
  ENTROPY_EXHAUSTED: status.UNAVAILABLE,
  NODE_UNREACHABLE: status.UNAVAILABLE,
  NODE_STALE: status.UNAVAILABLE,
  LOG_UNAVAILABLE: status.UNAVAILABLE,
  NODE_ISOLATED: status.UNAVAILABLE,
  NODE_STOPPING: status.UNAVAILABLE,
  BUS_TIMEOUT: status.UNAVAILABLE,
};

/** What a bare gRPC status means when no stable code comes with it: gRPC itself made the status. */
const CODE_BY_STATUS: Readonly<Partial<Record<status, string>>> = {
  [status.UNAVAILABLE]: 'NODE_UNREACHABLE',
  [status.DEADLINE_EXCEEDED]: 'DEADLINE_EXCEEDED',
  [status.UNIMPLEMENTED]: 'METHOD_NOT_ALLOWED',
  [status.RESOURCE_EXHAUSTED]: 'MESSAGE_TOO_LARGE',
};

const MESSAGE_BY_CODE: Readonly<Record<string, string>> = {
  NODE_UNREACHABLE: 'the node can not be reached',
  DEADLINE_EXCEEDED: 'the node did not answer in time',
  METHOD_NOT_ALLOWED: 'the node does not offer the method',
  MESSAGE_TOO_LARGE: 'the message is longer than the node or this side accepts',
  TRANSPORT_FAILED: 'the connection to the node failed',
};

/** An RPC error as gRPC sends it. */
export interface RpcStatus {
  readonly code: status;
  readonly details: string;
  readonly metadata: Metadata;
}

/** The stable code under which an error leaves the process. */
export function publicCode(error: unknown): string {
  return error instanceof SymmetraError && Object.hasOwn(STATUS_BY_CODE, error.code)
    ? error.code
    : 'INTERNAL';
}

/** The one function that makes RPC errors, and so decides what leaves the process. */
export function toStatus(error: unknown): RpcStatus {
  const code = publicCode(error);
  const metadata = new Metadata();
  metadata.set(CODE_KEY, code);
  return {
    code: STATUS_BY_CODE[code] ?? status.INTERNAL,
    details: code === 'INTERNAL' ? INTERNAL_MESSAGE : printable((error as SymmetraError).message),
    metadata,
  };
}

/** The part of a gRPC client's error that {@link fromStatus} reads. */
export interface StatusError {
  readonly code: status;
  readonly details: string;
  readonly metadata?: Metadata;
}

/**
 * The error that a server stated, or what its absence means: NODE_UNREACHABLE, DEADLINE_EXCEEDED,
 * METHOD_NOT_ALLOWED, MESSAGE_TOO_LARGE or TRANSPORT_FAILED. None of it is authenticated.
 */
export function fromStatus(error: StatusError, address: string): SymmetraError {
  const stated = error.metadata?.get(CODE_KEY)[0];
  if (typeof stated === 'string' && CODE_FORM.test(stated)) {
    return new SymmetraError(stated, printable(error.details), { address });
  }
  const code = CODE_BY_STATUS[error.code] ?? 'TRANSPORT_FAILED';
  return new SymmetraError(code, MESSAGE_BY_CODE[code] ?? code, {
    address,
    status: status[error.code] ?? error.code,
  });
}

/** One line of printable ASCII: the only form that every gRPC implementation carries unchanged. */
function printable(message: string): string {
  return message.slice(0, MAX_MESSAGE_CHARS).replaceAll(/[^\x20-\x7e]/g, '?');
}
