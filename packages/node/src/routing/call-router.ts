import { SymmetraError } from '@symmetra/crypto';
import type { Bus } from '@symmetra/bus';
import { METHODS, OPEN_CALLS, decode, encode, isSealedMethod } from '@symmetra/rpc';
import type { Message, MessageInput, OpenReplyInput, OpenRequest, SealedMethod } from '@symmetra/rpc';
import type { AuditLog } from '../audit/audit-log.js';
import type { ControlState } from '../control/control-state.js';
import { instanceOf, sessionLost } from '../presence/session-table.js';
import type { CallPath } from '../session/sealed-handler.js';
import type { SealedCalls } from '../session/sealed-calls.js';
import { callerOf } from './callers.js';
import type { RoutedCall } from './callers.js';
import type { SiblingCalls } from './sibling-calls.js';

const RELAY_TIMEOUT_MS = 8000;
const SEALED = 'symmetra.sealed.v1.Sealed';

/** How this node itself answers the open calls. */
type OpenHandlers = {
  readonly [Name in RoutedCall]: (request: OpenRequest<Name>) => Promise<OpenReplyInput<Name>>;
};

export interface CallRouterParts {
  readonly bus: Bus;
  readonly state: ControlState;
  readonly audit: AuditLog;
  readonly open: OpenHandlers;
  readonly sealed: SealedCalls;
  readonly siblings: SiblingCalls;
}

/**
 * Brings each call to the node that it names: to this one, or over the bus, with the same bytes; a sealed one to the
 * process that has its session (SES-3).
 */
export class CallRouter {
  readonly #parts: CallRouterParts;

  constructor(parts: CallRouterParts) {
    this.#parts = parts;
    for (const name of Object.keys(parts.open) as RoutedCall[]) this.#serveOpen(name);
    for (const method of Object.keys(METHODS)) if (isSealedMethod(method)) this.#serveSealed(method);
  }

  /** @throws NODE_UNKNOWN, NODE_UNREACHABLE, NODE_HALTED, and what the answering node throws */
  async open<Name extends RoutedCall>(name: Name, request: OpenRequest<Name>): Promise<OpenReplyInput<Name>> {
    const { node } = request as { readonly node: string };
    if (this.#isHere(node)) return this.#answerOpen(name, request);
    const { method, request: requestType, reply } = OPEN_CALLS[name];
    const bytes = await this.#relay(node, method, encode(requestType, request as never));
    return decode(reply, bytes) as OpenReplyInput<Name>;
  }

  /** @throws NODE_UNKNOWN, NODE_UNREACHABLE, and what {@link SealedCalls.answer} throws */
  async sealed(
    method: SealedMethod,
    request: Message<typeof SEALED>,
    path?: CallPath,
  ): Promise<MessageInput<typeof SEALED>> {
    const { sealed, siblings } = this.#parts;
    const instance = instanceOf(request.session);
    if (!this.#isHere(request.node)) {
      return decode(SEALED, await this.#relay(request.node, method, encode(SEALED, request), instance));
    }
    if (siblings.has(instance)) return siblings.call(instance, method, request, path);
    return sealed.answer(method, request, path);
  }

  async #answerOpen<Name extends RoutedCall>(
    name: Name,
    request: OpenRequest<Name>,
  ): Promise<OpenReplyInput<Name>> {
    const { state, audit, open } = this.#parts;
    const { method } = OPEN_CALLS[name];
    const caller = callerOf(state.context, name, request);
    try {
      if (state.halted) throw new SymmetraError('NODE_HALTED', 'the node has halted');
      const reply = await open[name](request);
      audit.answered(method, caller);
      return reply;
    } catch (error) {
      audit.answered(method, caller, error);
      throw error;
    }
  }

  #isHere(node: string): boolean {
    return node === '' || node === this.#parts.bus.self;
  }

  /** @param instance of the process that the call is for; any one of the node's when left out. */
  async #relay(node: string, method: string, payload: Uint8Array, instance?: string): Promise<Uint8Array> {
    const { bus, state } = this.#parts;
    if (!state.brokerRules.nodes.includes(node)) {
      throw new SymmetraError('NODE_UNKNOWN', 'the descriptor names no such node');
    }
    try {
      const options = { timeoutMs: RELAY_TIMEOUT_MS, ...(instance !== undefined && { instance }) };
      return await bus.request(node, `rpc${method}`, payload, options);
    } catch (error) {
      const code = error instanceof SymmetraError ? error.code : '';
      if (code === 'INSTANCE_GONE') throw sessionLost();
      if (code !== 'BUS_TIMEOUT' && code !== 'NO_HANDLER') throw error;
      throw new SymmetraError('NODE_UNREACHABLE', 'the node did not answer', {}, { cause: error });
    }
  }

  #serveOpen<Name extends RoutedCall>(name: Name): void {
    const { method, request: requestType, reply } = OPEN_CALLS[name];
    this.#parts.bus.serve(`rpc${method}`, async (_from, payload) => {
      const request = decode(requestType, payload);
      this.#checkArrived(request.node);
      return encode(reply, (await this.#answerOpen(name, request as OpenRequest<Name>)) as never);
    });
  }

  #serveSealed(method: SealedMethod): void {
    this.#parts.bus.serve(`rpc${method}`, async (_from, payload) => {
      const request = decode(SEALED, payload);
      this.#checkArrived(request.node);
      return encode(SEALED, await this.#parts.sealed.answer(method, request));
    });
  }

  /** A relayed call goes no further. @throws WRONG_NODE */
  #checkArrived(node: string): void {
    if (node === this.#parts.bus.self) return;
    throw new SymmetraError('WRONG_NODE', 'the call is meant for another node');
  }
}
