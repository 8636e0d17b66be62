import { SymmetraError } from '@symmetra/crypto';
import { verifyEvent } from '@symmetra/protocol';
import type { Descriptor, SignedEvent } from '@symmetra/protocol';

/** CTL-3: on the word of how many other nodes an event is taken that today's administrators did not sign: max(k, majority). */
export function enoughNodes({ nodes, threshold }: Descriptor): number {
  return Math.max(threshold, Math.floor(nodes.length / 2) + 1);
}

/** Whether enough of today's administrators signed an event. @throws BAD_ENCODING, BAD_EVENT, WRONG_NETWORK */
export function isSignedBy(descriptor: Descriptor, signed: SignedEvent): boolean {
  try {
    verifyEvent(descriptor, signed);
    return true;
  } catch (error) {
    if (error instanceof SymmetraError && error.code === 'BAD_SIGNATURE') return false;
    throw error;
  }
}
