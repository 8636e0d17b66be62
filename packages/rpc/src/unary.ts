import type { Admission } from './admission.js';
import type { AuditHook } from './audit.js';
import { decode, encode } from './codec.js';
import type { Message, MessageName } from './codec.js';
import { publicCode } from './errors.js';
import type { CallInfo, UntypedHandler } from './handlers.js';
import type { MethodDescriptor } from './loader.js';
import type { RpcLogger } from './logger.js';
import type { MethodPolicy } from './method-policy.js';
import { addressKey } from './peer-address.js';

/** What every unary call passes on its way to the handler. */
export interface UnaryChain {
  readonly admission: Admission;
  readonly onAudited: AuditHook;
  readonly logger: RpcLogger;
  /** @throws SymmetraError METHOD_NOT_ALLOWED */
  readonly handlerOf: (method: string, policy: MethodPolicy) => UntypedHandler;
}

/**
 * Answers one unary call: table, size, rates, decoding, audit, handler, encoding, in this order.
 * @returns the bytes of the reply. Fails with whatever failed; errors.ts makes it presentable.
 */
export async function answerUnary(
  chain: UnaryChain,
  descriptor: MethodDescriptor,
  bytes: Uint8Array,
  peer: string,
): Promise<Uint8Array> {
  const call: CallInfo = { method: descriptor.method, peer };
  const address = addressKey(peer);
  const policy = chain.admission.admit(call.method, bytes.length, address);
  const handler = chain.handlerOf(call.method, policy);
  const request = decode(descriptor.requestType as MessageName, bytes);
  const subject = subjectOf(policy, request);
  if (subject !== undefined) chain.admission.admitSubject(policy, call.method, subject, address);
  let code = 'OK';
  try {
    return encodeReply(descriptor.replyType as MessageName, await handler(request, call));
  } catch (error) {
    code = publicCode(error);
    if (code === 'INTERNAL') chain.logger.error({ ...call, err: error }, 'A call failed.');
    throw error;
  } finally {
    if (policy.audited) chain.onAudited({ ...call, code });
  }
}

/** What the rate of the method counts by, beside the peer address. */
function subjectOf(policy: MethodPolicy, request: object): Uint8Array | undefined {
  switch (policy.rate.per) {
    case 'peer-address':
      return undefined;
    case 'session':
      return (request as Message<'symmetra.sealed.v1.Sealed'>).session;
    case 'administrator':
      return (request as Message<'symmetra.admin.v1.SignedRequest'>).administrator;
  }
}

/** A reply that can not be encoded is the node's fault, never the caller's. */
function encodeReply(typeName: MessageName, reply: object): Uint8Array {
  try {
    return encode(typeName, reply);
  } catch (error) {
    throw new Error(`the handler's reply is no ${typeName}`, { cause: error });
  }
}
