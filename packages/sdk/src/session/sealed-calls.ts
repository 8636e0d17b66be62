import { SymmetraError } from '@symmetra/crypto';
import { METHODS, decode, encode } from '@symmetra/rpc';
import type { Message, MessageInput, PlaintextReply, PlaintextRequest, SealedMethod } from '@symmetra/rpc';
import { NodeRefusal, codeOf } from '../failure.js';
import type { Timers } from '../timers.js';
import type { HomeLink } from './home-link.js';
import type { NodeSession } from './node-session.js';
import type { Sessions } from './sessions.js';

const DONE = 0;
const REFUSED = 1;
const MAX_ATTEMPTS = 3;
const PAUSE_MS = 250;

/** What a new session puts right. */
const SESSION_OVER = new Set(['SESSION_LOST', 'SESSION_EXHAUSTED', 'SECRET_WIPED']);
/** What a moment's pause puts right. */
const CROWDED = new Set(['RATE_LIMITED', 'LINK_OVERFLOW']);

/** Makes sealed calls over a link (SES-5): seals, sends, opens the outcome. */
export class SealedCalls {
  readonly #sessions: Sessions;
  readonly #timers: Timers;

  constructor(sessions: Sessions, timers: Timers) {
    this.#sessions = sessions;
    this.#timers = timers;
  }

  /**
   * Calls a node. A session that the node lost is opened again, and the call repeated.
   *
   * @param requestIn the request, for the session in which it will travel.
   * @throws NodeRefusal when the node refuses; what did not get through; what opening a session throws
   */
  async call<Method extends SealedMethod>(
    link: HomeLink,
    nodeId: string,
    method: Method,
    requestIn: (session: NodeSession) => MessageInput<PlaintextRequest<Method>>,
  ): Promise<Message<PlaintextReply<Method>>> {
    const { request, reply } = METHODS[method].plaintext;
    for (let attempt = 1; ; attempt++) {
      const session = await this.#sessions.get(nodeId);
      try {
        const plaintext = encode(request, requestIn(session) as never);
        const opened = await this.#callOnce(link, session, method, plaintext);
        return decode(reply, opened) as Message<PlaintextReply<Method>>;
      } catch (error) {
        if (error instanceof NodeRefusal || attempt === MAX_ATTEMPTS) throw error;
        if (SESSION_OVER.has(codeOf(error))) this.#sessions.lost(session);
        else if (CROWDED.has(codeOf(error))) await this.#timers.sleep(PAUSE_MS * attempt);
        else throw error;
      }
    }
  }

  async #callOnce(
    link: HomeLink,
    session: NodeSession,
    method: SealedMethod,
    plaintext: Uint8Array,
  ): Promise<Uint8Array> {
    const { end, nodeId } = session;
    const sealed = end.seal(method, plaintext);
    plaintext.fill(0);
    const reply = await link.call(method, nodeId === link.home ? '' : nodeId, end.sessionId, sealed);
    const opened = end.open(method, reply, sealed.seq);
    if (opened[0] === DONE) return opened.subarray(1);
    if (opened[0] === REFUSED) {
      const refusal = decode('symmetra.sealed.v1.Refusal', opened.subarray(1));
      throw new NodeRefusal(nodeId, refusal.code, refusal.message, refusal.details);
    }
    throw new SymmetraError('BAD_MESSAGE', 'the node answered with something that is no outcome', {
      node: nodeId,
    });
  }
}
