import { isIPv4 } from 'node:net';
import { SymmetraError } from '@symmetra/crypto';

/**
 * Whoever sees the noise knows it, and whoever can change it chooses it: a source beyond this machine comes over TLS,
 * or the configuration says in so many words that the way is protected otherwise.
 * @param exposed what the configuration says.
 * @throws BAD_CONFIG
 */
export function checkExposure(name: string, host: string, encrypted: boolean, exposed: boolean): void {
  if (encrypted || exposed || isLoopback(host)) return;
  throw new SymmetraError(
    'BAD_CONFIG',
    'a source on another machine needs TLS, or "exposed: true" where the way to it is protected otherwise',
    { source: name, host },
  );
}

function isLoopback(host: string): boolean {
  return (
    host === 'localhost' || host === '::1' || host === '[::1]' || (isIPv4(host) && host.startsWith('127.'))
  );
}
