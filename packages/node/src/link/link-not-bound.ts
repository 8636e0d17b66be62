import { SymmetraError } from '@symmetra/crypto';

export function linkNotBound(): SymmetraError {
  return new SymmetraError('LINK_NOT_BOUND', 'the first call on a link is Attach at the home node');
}
