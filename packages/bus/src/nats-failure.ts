import { SymmetraError } from '@symmetra/crypto';
import { ErrorCode, NatsError } from 'nats';

/** The reason of a refusal of which the other side said nothing. */
const CUT_OFF = 'CUT_OFF';
/** From the least telling one on. */
const TELLING = ['BUS_UNREACHABLE', CUT_OFF, 'BUS_TOO_SMALL', 'BUS_UNTRUSTED', 'BUS_REFUSED'];
const REFUSALS = new Set<string>([
  ErrorCode.AuthorizationViolation,
  ErrorCode.AuthenticationExpired,
  ErrorCode.AccountExpired,
  ErrorCode.BadAuthentication,
]);
const NO_TLS: string = ErrorCode.ServerOptionNotAvailable;
const TLS: string = ErrorCode.Tls;
const CERTIFICATE = /CERT|SELF_SIGNED|ISSUER|UNABLE_TO_VERIFY|ALTNAME|^TLS$/;

/** How a connection ends that the other side ends, as nats.js and Node.js name it. */
const ENDED = new Set<string>([
  ErrorCode.ConnectionRefused,
  ErrorCode.ConnectionClosed,
  ErrorCode.Disconnect,
  'ECONNRESET',
  'EPIPE',
]);

/**
 * Why no connection to the server came about. The text of a server is left out: it may say anything.
 * @param isTrusted whether the certificate of the server verified. With TLS 1.3 this side is done with the handshake
 *   before the server has seen its certificate; what the server then says of it may be lost with the connection
 */
export function startFailure(error: unknown, server: string, isTrusted: boolean): SymmetraError {
  const code = codeOf(error);
  const isCutOff = isTrusted && ENDED.has(code);
  const details = { server, reason: isCutOff ? CUT_OFF : code };
  if (REFUSALS.has(code) || code.includes('ALERT') || isCutOff) {
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

/** Whether the next attempt may go better: a server that cut off the connection may have been stopping just then. */
export function isPassing(failure: SymmetraError): boolean {
  return ['BUS_UNREACHABLE', CUT_OFF].includes(kindOf(failure));
}

/** Of the reasons why no server could be used, the one that tells most. */
export function worst(failures: readonly SymmetraError[]): SymmetraError {
  const ordered = failures.toSorted((a, b) => TELLING.indexOf(kindOf(b)) - TELLING.indexOf(kindOf(a)));
  return ordered[0] ?? new SymmetraError('BUS_UNREACHABLE', 'no NATS server is configured');
}

function kindOf({ code, details }: SymmetraError): string {
  return details['reason'] === CUT_OFF ? CUT_OFF : code;
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'UNKNOWN';
  const { code } = error as { readonly code?: unknown };
  const chained = error instanceof NatsError ? error.chainedError : undefined;
  if (code === TLS && chained !== undefined) return codeOf(chained);
  return typeof code === 'string' ? code : error.name;
}
