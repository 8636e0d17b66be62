import { SymmetraError } from '@symmetra/crypto';

/**
 * A command that has no result. `made` says whether the server may have carried it out, `again` whether
 * another try may help. What the client library threw is left behind: it holds the command's arguments.
 */
export class CommandFailed extends Error {
  readonly error: SymmetraError;
  readonly made: 'no' | 'unknown';
  readonly again: boolean;

  constructor(error: SymmetraError, made: 'no' | 'unknown', again: boolean) {
    super(error.message);
    this.error = error;
    this.made = made;
    this.again = again;
  }
}

/** First words of error replies to a command that the server did not begin, and will later. */
const NOT_NOW = new Set([
  'BUSY',
  'CLUSTERDOWN',
  'LOADING',
  'MASTERDOWN',
  'MISCONF',
  'NOREPLICAS',
  'READONLY',
  'TRYAGAIN',
  // The scripts of another server, or none; they are loaded with each connection.
  'NOSCRIPT',
  // Our own: the server's clock was set since it was asked, or the command came too late.
  'EXPIRED',
]);
const REFUSED = new Set(['NOAUTH', 'NOPERM', 'WRONGPASS']);
const TLS_FAILED =
  /^(?:EPROTO|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|INVALID_CA|HOSTNAME_|ERR_(?:SSL|TLS|OSSL)_)/;

/** What an error reply means. `error` is what the client library threw. */
export function replyFailure(error: Error): CommandFailed {
  const [word = ''] = error.message.split(' ', 1);
  if (word === 'OOM' || (word === 'MISCONF' && error.message.includes('No space left'))) {
    return new CommandFailed(
      new SymmetraError('STORE_FULL', 'there is no room left for the store'),
      'no',
      false,
    );
  }
  if (word === 'SETBACK') return new CommandFailed(setBack(), 'no', false);
  if (REFUSED.has(word) || error.message.includes('invalid username-password pair')) {
    return new CommandFailed(refused(), 'no', false);
  }
  if (NOT_NOW.has(word)) return new CommandFailed(unavailable(word), 'no', true);
  return new CommandFailed(failed(/^[A-Z]+$/.test(word) ? word : 'unknown'), 'unknown', false);
}

/** What a Sentinel that was asked said, if it refuses to be asked; the next one may answer. */
export function sentinelRefusal({ message }: Error): SymmetraError | undefined {
  const [, said = ''] = message.split(' because ', 2);
  return REFUSED.has(said.split(' ', 1)[0] ?? '') ? refused() : undefined;
}

/** Why no connection came about. */
export function connectFailure(error: unknown): SymmetraError {
  if (error instanceof SymmetraError) return error;
  const { code, name, message } = error as NodeJS.ErrnoException;
  if (name === 'ReplyError') return replyFailure(error as Error).error;
  if (typeof code === 'string' && TLS_FAILED.test(code)) {
    return new SymmetraError('STORE_TLS', 'there is no TLS connection to the Redis server', { cause: code });
  }
  return unavailable(code ?? (message.includes('entinel') ? 'no Sentinel answers' : 'closed'));
}

/** The server can not be reached, or not take commands, now. What was asked for was not done. */
export function unavailable(cause: string): SymmetraError {
  return new SymmetraError('STORE_UNAVAILABLE', 'the Redis server can not be used now', { cause });
}

/** It is unknown whether a change was made. */
export function failed(cause: string): SymmetraError {
  return new SymmetraError('STORE_FAILED', 'the Redis server did not say whether the change was made', {
    cause,
  });
}

/** The server lost changes that it had acknowledged to this process. */
export function setBack(): SymmetraError {
  return new SymmetraError('STORE_SET_BACK', 'the Redis server lost changes that it had acknowledged');
}

function refused(): SymmetraError {
  return new SymmetraError('STORE_REFUSED', 'the Redis server refuses the user, its password or a command');
}
