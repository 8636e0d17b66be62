import { Reader, Writer } from '@symmetra/crypto';
import {
  DEVICE_ID_LENGTH,
  NONCE_LENGTH,
  SHORT_ID_LENGTH,
  preamble,
  readCount,
  readNodeId,
  readPreamble,
} from '../context.js';
import type { ProtocolContext } from '../context.js';

const MAX_TAG = 64;
const MAX_SEALED = 256;

/** SES-1: what the device says when it opens session c of epoch e. */
export interface OpenBody {
  readonly suiteId: number;
  readonly deviceId: Uint8Array;
  readonly nodeId: string;
  readonly epoch: number;
  /** c. */
  readonly counter: number;
  /** n_D, 32 bytes. */
  readonly nonce: Uint8Array;
}

/** The open message as it travels. */
export interface Open {
  /** OpenBody, canonical bytes. */
  readonly body: Uint8Array;
  /** MAC(sub(ev, "open"), body): checked before the node walks the chain. */
  readonly evidenceTag: Uint8Array;
  /** MAC(KDF(mk_c, "open"), body, evidence tag). */
  readonly tag: Uint8Array;
}

export function encodeOpenBody(context: ProtocolContext, body: OpenBody): Uint8Array {
  return preamble(context)
    .u8(body.suiteId)
    .raw(body.deviceId)
    .text(body.nodeId)
    .u64(body.epoch)
    .u64(body.counter)
    .raw(body.nonce)
    .finish();
}

/** @throws BAD_ENCODING, WRONG_VERSION, WRONG_NETWORK */
export function decodeOpenBody(context: ProtocolContext, bytes: Uint8Array): OpenBody {
  const reader = new Reader(bytes, 'session open');
  readPreamble(context, reader);
  const body = {
    suiteId: reader.u8(),
    deviceId: reader.raw(DEVICE_ID_LENGTH),
    nodeId: readNodeId(reader),
    epoch: readCount(reader),
    counter: readCount(reader),
    nonce: reader.raw(NONCE_LENGTH),
  };
  reader.end();
  return body;
}

export function encodeOpen(open: Open): Uint8Array {
  return new Writer().bytes(open.body).bytes(open.evidenceTag).bytes(open.tag).finish();
}

/** @throws BAD_ENCODING */
export function decodeOpen(bytes: Uint8Array): Open {
  const reader = new Reader(bytes, 'session open');
  const open = { body: reader.bytes(), evidenceTag: reader.bytes(MAX_TAG), tag: reader.bytes(MAX_TAG) };
  reader.end();
  return open;
}

/** SES-3: the node's answer. */
export interface SessionAnswer {
  /** 16 bytes, chosen by the node. */
  readonly sessionId: Uint8Array;
  /** n_N, 32 bytes. */
  readonly nonce: Uint8Array;
  /** SessionGrant, sealed. */
  readonly sealed: Uint8Array;
  /** MAC(KDF(mk_c, "answer"), H(open, answer)). */
  readonly tag: Uint8Array;
}

/** The sealed part of the answer. */
export interface SessionGrant {
  /** q: 32 bytes of node entropy. */
  readonly entropy: Uint8Array;
  /** How long the session may be used, seconds. */
  readonly lifetimeSeconds: number;
  /** How many messages each direction may carry. */
  readonly maxMessages: number;
  /** The node's clock, milliseconds since 1970. */
  readonly clockMs: number;
}

export function encodeAnswer(answer: SessionAnswer): Uint8Array {
  return new Writer().raw(answer.sessionId).raw(answer.nonce).bytes(answer.sealed).bytes(answer.tag).finish();
}

/** @throws BAD_ENCODING */
export function decodeAnswer(bytes: Uint8Array): SessionAnswer {
  const reader = new Reader(bytes, 'session answer');
  const answer = {
    sessionId: reader.raw(SHORT_ID_LENGTH),
    nonce: reader.raw(NONCE_LENGTH),
    sealed: reader.bytes(MAX_SEALED),
    tag: reader.bytes(MAX_TAG),
  };
  reader.end();
  return answer;
}

export function encodeGrant(grant: SessionGrant): Uint8Array {
  return new Writer()
    .raw(grant.entropy)
    .u32(grant.lifetimeSeconds)
    .u64(grant.maxMessages)
    .u64(grant.clockMs)
    .finish();
}

/** @throws BAD_ENCODING */
export function decodeGrant(bytes: Uint8Array): SessionGrant {
  const reader = new Reader(bytes, 'session grant');
  const grant = {
    entropy: reader.raw(NONCE_LENGTH),
    lifetimeSeconds: reader.u32(),
    maxMessages: readCount(reader),
    clockMs: readCount(reader),
  };
  reader.end();
  return grant;
}
