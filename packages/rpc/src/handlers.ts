import { SymmetraError } from '@symmetra/crypto';
import type { Message, MessageInput } from './codec.js';
import type { LinkStream } from './link-stream.js';
import type { MethodKind } from './method-policy.js';
import type { SealedMethod, SignedMethod } from './methods.js';
import { OPEN_CALLS } from './open-calls.js';
import type { OpenCall, OpenReplyInput, OpenRequest } from './open-calls.js';

/** What is known of a unary call beside its message. */
export interface CallInfo {
  /** Full method name. */
  readonly method: string;
  /** Peer as address:port. Nothing proves it. */
  readonly peer: string;
}

type OpenHandlers = {
  readonly [Name in OpenCall]: (request: OpenRequest<Name>, call: CallInfo) => Promise<OpenReplyInput<Name>>;
};

/**
 * What a node does with the calls that were admitted. A handler fails with a SymmetraError whose
 * code errors.ts lists; anything else reaches the caller as INTERNAL.
 */
export interface Handlers extends OpenHandlers {
  /** Any method that takes Sealed, called alone and not on a link. */
  sealed(
    method: SealedMethod,
    request: Message<'symmetra.sealed.v1.Sealed'>,
    call: CallInfo,
  ): Promise<MessageInput<'symmetra.sealed.v1.Sealed'>>;
  /** Any method that takes SignedRequest. */
  signed(
    method: SignedMethod,
    request: Message<'symmetra.admin.v1.SignedRequest'>,
    call: CallInfo,
  ): Promise<MessageInput<'symmetra.admin.v1.SignedResponse'>>;
  /** A new link. Register the listeners before returning. */
  link(stream: LinkStream): void;
}

/** A handler whose types the method table, and not the compiler, holds together. */
export type UntypedHandler = (request: object, call: CallInfo) => Promise<object>;

/** @throws SymmetraError METHOD_NOT_ALLOWED when no handler serves the method. */
export function handlerOf(handlers: Handlers, method: string, kind: MethodKind): UntypedHandler {
  switch (kind) {
    case 'sealed':
      return (request, call) =>
        handlers.sealed(method as SealedMethod, request as Message<'symmetra.sealed.v1.Sealed'>, call);
    case 'signed':
      return (request, call) =>
        handlers.signed(method as SignedMethod, request as Message<'symmetra.admin.v1.SignedRequest'>, call);
    case 'open':
      return openHandler(handlers, method);
    case 'link':
      throw new SymmetraError('METHOD_NOT_ALLOWED', 'the method is a stream');
    case 'upstream':
      throw new SymmetraError('METHOD_NOT_ALLOWED', 'no node answers the method');
  }
}

function openHandler(handlers: Handlers, method: string): UntypedHandler {
  for (const [name, entry] of Object.entries(OPEN_CALLS)) {
    if (entry.method === method) {
      const handler = handlers[name as OpenCall] as UntypedHandler;
      return (request, call) => handler.call(handlers, request, call);
    }
  }
  throw new SymmetraError('METHOD_NOT_ALLOWED', 'no handler serves the method');
}
