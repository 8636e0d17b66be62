import { SymmetraError, concat } from '@symmetra/crypto';
import { METHODS, encode, publicCode } from '@symmetra/rpc';
import type { Message, MessageInput, SealedMethod } from '@symmetra/rpc';
import type { Logger } from '@symmetra/runtime';
import type { AuditLog } from '../audit/audit-log.js';
import type { ControlState } from '../control/control-state.js';
import { linkNotBound } from '../link/link-not-bound.js';
import { sessionLost } from '../presence/session-table.js';
import type { Session, SessionTable } from '../presence/session-table.js';
import type { CallPath, SealedHandler, SealedOutcome } from './sealed-handler.js';

type Sealed = Message<'symmetra.sealed.v1.Sealed'>;
type SealedReply = MessageInput<'symmetra.sealed.v1.Sealed'>;

/** First byte of a reply's plaintext. */
const ANSWERED = Uint8Array.of(0);
const REFUSED = Uint8Array.of(1);

export interface SealedCallsParts {
  readonly state: ControlState;
  readonly sessions: SessionTable;
  readonly audit: AuditLog;
  readonly logger: Logger;
  readonly handlers: Readonly<Record<SealedMethod, SealedHandler>>;
}

/** Opens sealed calls, has them answered, and seals the outcome, refusals included (SES-5). */
export class SealedCalls {
  readonly #parts: SealedCallsParts;

  constructor(parts: SealedCallsParts) {
    this.#parts = parts;
  }

  /**
   * @throws SESSION_LOST, AUTHENTICATION_FAILED, MESSAGE_REPLAYED, SESSION_EXHAUSTED, LINK_NOT_BOUND, NODE_HALTED;
   *   nothing else leaves
   *   unsealed
   */
  async answer(method: SealedMethod, request: Sealed, path?: CallPath): Promise<SealedReply> {
    const { state, sessions } = this.#parts;
    if (state.halted) throw new SymmetraError('NODE_HALTED', 'the node has halted');
    const session = sessions.find(request.session);
    if (path !== undefined && !path.accepts(session.deviceHex)) throw linkNotBound();
    const { seq } = request;
    const plaintext = session.end.open(method, { seq, ciphertext: request.ciphertext });
    const reply = await this.#serve(session, method, { plaintext, seq }, path);
    plaintext.fill(0);
    if (!sessions.has(session)) throw sessionLost();
    const sealed = session.end.seal(method, reply, seq);
    reply.fill(0);
    return { session: session.end.sessionId, seq: sealed.seq, ciphertext: sealed.ciphertext };
  }

  async #serve(
    session: Session,
    method: SealedMethod,
    { plaintext, seq }: { readonly plaintext: Uint8Array; readonly seq: number },
    path?: CallPath,
  ): Promise<Uint8Array> {
    const { audit, handlers } = this.#parts;
    const { audited } = METHODS[method];
    let outcome: SealedOutcome;
    try {
      outcome = await handlers[method](session, plaintext, path, seq);
    } catch (error) {
      if (audited) audit.answered(method, { device: session.device }, error);
      return this.#refusal(session, method, error);
    }
    if (audited) audit.answered(method, { device: session.device });
    // The reply is handed to its connection in this turn of the event loop.
    if (outcome.after !== undefined) setImmediate(outcome.after);
    return concat(ANSWERED, outcome.reply);
  }

  #refusal(session: Session, method: SealedMethod, error: unknown): Uint8Array {
    const code = publicCode(error);
    if (code === 'INTERNAL' || !(error instanceof SymmetraError)) {
      this.#parts.logger.error({ method, device: session.device, err: error }, 'A sealed call failed.');
      const refusal = { code: 'INTERNAL', message: 'the node could not answer the call' };
      return concat(REFUSED, encode('symmetra.sealed.v1.Refusal', refusal));
    }
    const details = Object.fromEntries(
      Object.entries(error.details).map(([name, value]) => [name, String(value)]),
    );
    return concat(REFUSED, encode('symmetra.sealed.v1.Refusal', { code, message: error.message, details }));
  }
}
