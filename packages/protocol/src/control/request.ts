import { SymmetraError, Writer, equalConstantTime, sha256, sign, verify } from '@symmetra/crypto';
import { NONCE_LENGTH, PROTOCOL_VERSION } from '../context.js';
import type { Descriptor } from './descriptor.js';

/** CTL-6: how far an administrator's clock may be from the node's, milliseconds. */
export const REQUEST_WINDOW_MS = 5 * 60_000;

/** CTL-6: a signed administrative request. */
export interface AdminRequest {
  readonly node: string;
  readonly body: Uint8Array;
  /** 32 fresh random bytes. */
  readonly nonce: Uint8Array;
  /** The administrator's clock, milliseconds since 1970. */
  readonly timeMs: number;
  /** SHA-256 of the administrator's public key. */
  readonly administrator: Uint8Array;
  readonly signature: Uint8Array;
}

/** What the signature of a request covers: version, network, node, method, SHA-256(body), nonce, time. */
export function requestBytes(
  networkId: Uint8Array,
  method: string,
  request: Pick<AdminRequest, 'node' | 'body' | 'nonce' | 'timeMs'>,
): Uint8Array {
  return new Writer()
    .u8(PROTOCOL_VERSION)
    .raw(networkId)
    .text(request.node)
    .text(method)
    .raw(sha256(request.body))
    .raw(request.nonce)
    .u64(request.timeMs)
    .finish();
}

/** CTL-6: signs a request as an administrator. */
export function signRequest(
  networkId: Uint8Array,
  method: string,
  request: Pick<AdminRequest, 'node' | 'body' | 'nonce' | 'timeMs'>,
  secretKey: Uint8Array,
  publicKey: Uint8Array,
): AdminRequest {
  const signature = sign(requestBytes(networkId, method, request), secretKey, 'adminRequestSign');
  return { ...request, administrator: sha256(publicKey), signature };
}

/**
 * CTL-6: checks a request. The caller also refuses a nonce that it has seen within twice the window.
 * @throws WRONG_NODE, ADMINISTRATOR_UNKNOWN, BAD_SIGNATURE, REQUEST_STALE
 */
export function verifyRequest(
  descriptor: Descriptor,
  nodeId: string,
  method: string,
  request: AdminRequest,
  nowMs: number,
): void {
  if (request.node !== nodeId) throw new SymmetraError('WRONG_NODE', 'the request is meant for another node');
  if (request.nonce.length !== NONCE_LENGTH) {
    throw new SymmetraError('BAD_ENCODING', 'a request nonce has 32 bytes');
  }
  const publicKey = descriptor.administrators.find((key) =>
    equalConstantTime(sha256(key), request.administrator),
  );
  if (publicKey === undefined) {
    throw new SymmetraError('ADMINISTRATOR_UNKNOWN', 'the descriptor names no such administrator');
  }
  const bytes = requestBytes(descriptor.networkId, method, request);
  if (!verify(request.signature, bytes, publicKey, 'adminRequestSign')) {
    throw new SymmetraError('BAD_SIGNATURE', "the request's signature does not verify");
  }
  if (Math.abs(nowMs - request.timeMs) > REQUEST_WINDOW_MS) {
    throw new SymmetraError('REQUEST_STALE', "the request's time is too far from the node's clock", {
      window: REQUEST_WINDOW_MS,
    });
  }
}

/** What the signature of a reply covers: SHA-256 of the request's signed bytes, SHA-256(body). */
function responseBytes(request: Uint8Array, body: Uint8Array): Uint8Array {
  return new Writer().u8(PROTOCOL_VERSION).raw(sha256(request)).raw(sha256(body)).finish();
}

/** CTL-6: the node signs its reply. `request` is what {@link requestBytes} gave. */
export function signResponse(request: Uint8Array, body: Uint8Array, nodeSecretKey: Uint8Array): Uint8Array {
  return sign(responseBytes(request, body), nodeSecretKey, 'adminResponseSign');
}

/** CTL-6: the administrator's tool checks the reply. @throws BAD_SIGNATURE */
export function verifyResponse(
  request: Uint8Array,
  body: Uint8Array,
  signature: Uint8Array,
  nodePublicKey: Uint8Array,
): void {
  if (!verify(signature, responseBytes(request, body), nodePublicKey, 'adminResponseSign')) {
    throw new SymmetraError('BAD_SIGNATURE', "the node's reply does not verify");
  }
}
