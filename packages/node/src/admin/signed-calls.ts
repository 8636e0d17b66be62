import { SymmetraError, toHex } from '@symmetra/crypto';
import { REQUEST_WINDOW_MS, requestBytes, signResponse, verifyRequest } from '@symmetra/protocol';
import { METHODS, decode, encode } from '@symmetra/rpc';
import type { Message, MessageInput, PlaintextReply, PlaintextRequest, SignedMethod } from '@symmetra/rpc';
import type { Clock } from '@symmetra/runtime';
import type { Store } from '@symmetra/storage';
import type { AuditLog } from '../audit/audit-log.js';
import type { ControlState } from '../control/control-state.js';
import { encodeExpiry } from '../rows/expiry.js';
import { nonceRow } from '../rows/row-keys.js';

/** How this node answers the signed methods. */
export type SignedHandlers = {
  readonly [Method in SignedMethod]: (
    request: Message<PlaintextRequest<Method>>,
  ) => Promise<MessageInput<PlaintextReply<Method>>>;
};

export interface SignedCallsParts {
  readonly clock: Clock;
  readonly store: Store;
  readonly state: ControlState;
  readonly audit: AuditLog;
  readonly handlers: SignedHandlers;
}

/** Checks signed requests, refuses what was seen before, and signs the replies (CTL-6). */
export class SignedCalls {
  readonly #parts: SignedCallsParts;

  constructor(parts: SignedCallsParts) {
    this.#parts = parts;
  }

  /** @throws REQUEST_REPLAYED, what `verifyRequest` throws, and what the handler throws */
  async answer(
    method: SignedMethod,
    request: Message<'symmetra.admin.v1.SignedRequest'>,
  ): Promise<MessageInput<'symmetra.admin.v1.SignedResponse'>> {
    const { audit } = this.#parts;
    const caller = { administrator: toHex(request.administrator.subarray(0, 32)) };
    try {
      const reply = await this.#answer(method, request);
      audit.answered(method, caller);
      return reply;
    } catch (error) {
      audit.answered(method, caller, error);
      throw error;
    }
  }

  async #answer<Method extends SignedMethod>(
    method: Method,
    request: Message<'symmetra.admin.v1.SignedRequest'>,
  ): Promise<MessageInput<'symmetra.admin.v1.SignedResponse'>> {
    const { clock, state, handlers } = this.#parts;
    verifyRequest(state.descriptor, state.identity.id, method, request, clock.now());
    await this.#takeNonce(request.nonce);
    const { plaintext } = METHODS[method];
    const reply = await handlers[method](decode(plaintext.request, request.body) as never);
    const body = encode(plaintext.reply, reply as never);
    const signed = requestBytes(state.context.networkId, method, request);
    return { body, signature: signResponse(signed, body, state.identity.signing.secretKey.bytes) };
  }

  /** A nonce is kept for twice the window, in which alone its request could be taken again. */
  async #takeNonce(nonce: Uint8Array): Promise<void> {
    const { clock, store } = this.#parts;
    const value = encodeExpiry(clock.now() + 2 * REQUEST_WINDOW_MS);
    if (await store.commit([{ key: nonceRow(nonce), value, expect: 0 }])) return;
    throw new SymmetraError('REQUEST_REPLAYED', 'the request was made before');
  }
}
