import { SymmetraError } from '@symmetra/crypto';

/** Codes that say that a call did not get through, not what anybody thinks of it. */
const TRANSPORT_CODES = new Set([
  'NODE_UNREACHABLE',
  'DEADLINE_EXCEEDED',
  'TRANSPORT_FAILED',
  'RATE_LIMITED',
  'TOO_MANY_LINKS',
  'LINK_OVERFLOW',
  'LINK_IDLE',
  'LINK_NOT_BOUND',
  'LINK_CLOSED',
  'HOME_WITHHOLDS',
  'NODE_STOPPING',
  'NODE_ISOLATED',
  'NODE_STALE',
  'STORE_UNAVAILABLE',
  'BUS_TIMEOUT',
  'BUS_BUSY',
  'SESSION_LOST',
  'STATE_CONFLICT',
  'CLIENT_CLOSED',
  'INTERNAL',
]);

/** What goes wrong at this device, not in what came. */
const LOCAL_CODES = new Set(['DISK_FULL', 'NO_PERMISSION', 'STATE_INCOMPLETE', 'INTERNAL']);

/** What may pass in an enrolment: a node that has not heard of the token yet, for example. */
const PASSING_CODES = new Set([
  'TOKEN_UNKNOWN',
  'DEVICE_UNKNOWN',
  'STEP_UNFINISHED',
  // An introduction, while other nodes do not know the descriptor yet, or the device.
  'NODE_UNKNOWN',
  'DESCRIPTOR_OLD',
  'NOT_ENROLLED',
  'INTRODUCTION_BUSY',
  // A receipt that is none: nobody refused.
  'HEADER_MISMATCH',
  // Its operator makes room.
  'STORE_FULL',
  // What the node itself did not say: another node that passed it on may have put it there.
  'BAD_ENCODING',
  'BAD_MESSAGE',
  'WRONG_VERSION',
  'AUTHENTICATION_FAILED',
  'MESSAGE_REPLAYED',
  'STATE_LEFT',
]);

/** The stable code of any error; INTERNAL when it has none. */
export function codeOf(error: unknown): string {
  return error instanceof SymmetraError ? error.code : 'INTERNAL';
}

/** Whether trying again later, or elsewhere, can help. */
export function isTransportFailure(error: unknown): boolean {
  return TRANSPORT_CODES.has(codeOf(error));
}

/** Whether this device itself failed, whatever others say. */
export function isLocalFailure(error: unknown): boolean {
  return LOCAL_CODES.has(codeOf(error));
}

/** Whether what refuses an enrolment may be over with time. */
export function mayPass(error: unknown): boolean {
  return isTransportFailure(error) || PASSING_CODES.has(codeOf(error));
}

/** Any error as one of ours. */
export function asSymmetraError(error: unknown): SymmetraError {
  if (error instanceof SymmetraError) return error;
  return new SymmetraError('INTERNAL', 'an unexpected error', {}, { cause: error });
}

/**
 * The most telling of several failures: what somebody decided, then that a node misses the others (CTL-7), then what did not
 * get through.
 */
export function mostTelling(failures: readonly unknown[]): SymmetraError {
  const errors = failures.map(asSymmetraError);
  const decided = errors.filter((error) => !isTransportFailure(error));
  const counted = decided.map((error) => ({
    error,
    times: decided.filter((other) => other.code === error.code).length,
  }));
  const [first] = counted.toSorted((a, b) => b.times - a.times);
  const stale = errors.find(({ code }) => code === 'NODE_STALE');
  return (
    first?.error ?? stale ?? errors[0] ?? new SymmetraError('NODE_UNREACHABLE', 'no node can be reached')
  );
}

/** Waits for all, also when one fails. @throws the first failure of the list */
export async function allDone(tasks: readonly Promise<unknown>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(tasks)) {
    if (outcome.status === 'rejected') throw outcome.reason;
  }
}

/** A node's refusal inside a session: the node itself said so. */
export class NodeRefusal extends SymmetraError {
  readonly node: string;

  constructor(node: string, code: string, message: string, details: Readonly<Record<string, string>>) {
    super(code, message, { ...details, node });
    this.node = node;
  }
}
