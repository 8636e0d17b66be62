import { SymmetraError } from '@symmetra/crypto';
import { ErrorCode, NatsError } from 'nats';

/** From the least telling one on. */
const TELLING = ['BUS_UNREACHABLE', 'BUS_TOO_SMALL', 'BUS_UNTRUSTED', 'BUS_REFUSED'];
const REFUSALS = new Set<string>([
  ErrorCode.AuthorizationViolation,
  ErrorCode.AuthenticationExpired,
  ErrorCode.AccountExpired,
  ErrorCode.BadAuthentication,
]);
const NO_TLS: string = ErrorCode.ServerOptionNotAvailable;
const TLS: string = ErrorCode.Tls;
const CERTIFICATE = /CERT|SELF_SIGNED|ISSUER|UNABLE_TO_VERIFY|ALTNAME|^TLS$/;

/** Why no connection to the server came about. The text of a server is left out: it may say anything. */
export function startFailure(error: unknown, server: string): SymmetraError {
  const code = codeOf(error);
  const details = { server, reason: code };
  if (REFUSALS.has(code) || code.includes('ALERT')) {
    return new SymmetraError(
      'BUS_REFUSED',
      'the NATS server does not accept the credentials of this node',
      details,
    );
  }
  if (CERTIFICATE.test(code)) {
    const message =
      'the certificate of the NATS server does not verify, or TLS is not set up alike on both sides';
    return new SymmetraError('BUS_UNTRUSTED', message, details);
  }
  if (code === NO_TLS) {
    return new SymmetraError(
      'BUS_UNTRUSTED',
      'the NATS server does not offer the TLS that is asked for',
      details,
    );
  }
  return new SymmetraError('BUS_UNREACHABLE', 'no NATS server answered', details);
}

/** Of the reasons why no server could be used, the one that tells most. */
export function worst(failures: readonly SymmetraError[]): SymmetraError {
  const ordered = failures.toSorted((a, b) => TELLING.indexOf(b.code) - TELLING.indexOf(a.code));
  return ordered[0] ?? new SymmetraError('BUS_UNREACHABLE', 'no NATS server is configured');
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'UNKNOWN';
  const { code } = error as { readonly code?: unknown };
  const chained = error instanceof NatsError ? error.chainedError : undefined;
  if (code === TLS && chained !== undefined) return codeOf(chained);
  return typeof code === 'string' ? code : error.name;
}
