import { Reader, Writer } from '@symmetra/crypto';
import {
  DEVICE_ID_LENGTH,
  MAX_NAME_LENGTH,
  NONCE_LENGTH,
  preamble,
  readCount,
  readNodeId,
  readPreamble,
} from '../context.js';
import type { ProtocolContext } from '../context.js';

const MAX_KEM_BYTES = 4096;
const MAX_TAG = 64;

/** ATK-2: the part of R1 that travels in the clear. */
export interface R1Head {
  /** Suite of the current epoch. */
  readonly suiteId: number;
  /** Suite of the next epoch. */
  readonly nextSuiteId: number;
  readonly deviceId: Uint8Array;
  readonly nodeId: string;
  /** e, the epoch that the step leaves. */
  readonly epoch: number;
  /** n_D. */
  readonly nonce: Uint8Array;
}

/** R1 as it travels. */
export interface R1 {
  /** R1Head, canonical bytes. */
  readonly head: Uint8Array;
  /** R1Body, sealed. */
  readonly sealed: Uint8Array;
  /** MAC(sub(ev, "R1"), head, sealed). */
  readonly tag: Uint8Array;
}

/** The sealed part of R1. */
export interface R1Body {
  readonly ephemeralKey: Uint8Array;
  /** ct_s, encapsulated to the node's static key of the next suite. */
  readonly ciphertext: Uint8Array;
  readonly stage: string;
  /** H(code nonce). */
  readonly codeCommitment: Uint8Array;
}

export function encodeR1Head(context: ProtocolContext, head: R1Head): Uint8Array {
  return preamble(context)
    .u8(head.suiteId)
    .u8(head.nextSuiteId)
    .raw(head.deviceId)
    .text(head.nodeId)
    .u64(head.epoch)
    .raw(head.nonce)
    .finish();
}

/** @throws BAD_ENCODING, WRONG_VERSION, WRONG_NETWORK */
export function decodeR1Head(context: ProtocolContext, bytes: Uint8Array): R1Head {
  const reader = new Reader(bytes, 'R1');
  readPreamble(context, reader);
  const head = {
    suiteId: reader.u8(),
    nextSuiteId: reader.u8(),
    deviceId: reader.raw(DEVICE_ID_LENGTH),
    nodeId: readNodeId(reader),
    epoch: readCount(reader),
    nonce: reader.raw(NONCE_LENGTH),
  };
  reader.end();
  return head;
}

export function encodeR1(r1: R1): Uint8Array {
  return new Writer().bytes(r1.head).bytes(r1.sealed).bytes(r1.tag).finish();
}

/** @throws BAD_ENCODING */
export function decodeR1(bytes: Uint8Array): R1 {
  const reader = new Reader(bytes, 'R1');
  const r1 = { head: reader.bytes(), sealed: reader.bytes(), tag: reader.bytes(MAX_TAG) };
  reader.end();
  return r1;
}

export function encodeR1Body(body: R1Body): Uint8Array {
  return new Writer()
    .bytes(body.ephemeralKey)
    .bytes(body.ciphertext)
    .text(body.stage)
    .bytes(body.codeCommitment)
    .finish();
}

/** @throws BAD_ENCODING */
export function decodeR1Body(bytes: Uint8Array): R1Body {
  const reader = new Reader(bytes, 'R1');
  const body = {
    ephemeralKey: reader.bytes(MAX_KEM_BYTES),
    ciphertext: reader.bytes(MAX_KEM_BYTES),
    stage: reader.text(MAX_NAME_LENGTH),
    codeCommitment: reader.bytes(MAX_TAG),
  };
  reader.end();
  return body;
}

/** ATK-4: R2 as it travels. */
export interface R2 {
  /** n_N, 32 bytes. */
  readonly nonce: Uint8Array;
  /** R2Body, sealed. */
  readonly sealed: Uint8Array;
  /** MAC(sub(K[e+1], "node"), H(R1, R2)). */
  readonly tag: Uint8Array;
}

/** The sealed part of R2. */
export interface R2Body {
  /** ct_e, encapsulated to the device's ephemeral key. */
  readonly ciphertext: Uint8Array;
  /** q: 32 bytes of node entropy. */
  readonly entropy: Uint8Array;
  /** The stage that the node grants. */
  readonly stage: string;
  /** code nonce', 32 bytes. */
  readonly codeNonce: Uint8Array;
}

export function encodeR2(r2: R2): Uint8Array {
  return new Writer().raw(r2.nonce).bytes(r2.sealed).bytes(r2.tag).finish();
}

/** @throws BAD_ENCODING */
export function decodeR2(bytes: Uint8Array): R2 {
  const reader = new Reader(bytes, 'R2');
  const r2 = { nonce: reader.raw(NONCE_LENGTH), sealed: reader.bytes(), tag: reader.bytes(MAX_TAG) };
  reader.end();
  return r2;
}

export function encodeR2Body(body: R2Body): Uint8Array {
  return new Writer().bytes(body.ciphertext).raw(body.entropy).text(body.stage).raw(body.codeNonce).finish();
}

/** @throws BAD_ENCODING */
export function decodeR2Body(bytes: Uint8Array): R2Body {
  const reader = new Reader(bytes, 'R2');
  const body = {
    ciphertext: reader.bytes(MAX_KEM_BYTES),
    entropy: reader.raw(NONCE_LENGTH),
    stage: reader.text(MAX_NAME_LENGTH),
    codeNonce: reader.raw(NONCE_LENGTH),
  };
  reader.end();
  return body;
}

/** ATK-5: R3, the device's confirmation of epoch e+1. */
export interface R3 {
  readonly deviceId: Uint8Array;
  readonly nodeId: string;
  /** e+1. */
  readonly epoch: number;
  /** The code nonce that R1 committed to, 32 bytes. */
  readonly codeNonce: Uint8Array;
  /** MAC(sub(K[e+1], "device"), H(R1, R2), code nonce). */
  readonly tag: Uint8Array;
}

export function encodeR3(context: ProtocolContext, r3: R3): Uint8Array {
  return preamble(context)
    .raw(r3.deviceId)
    .text(r3.nodeId)
    .u64(r3.epoch)
    .raw(r3.codeNonce)
    .bytes(r3.tag)
    .finish();
}

/** @throws BAD_ENCODING, WRONG_VERSION, WRONG_NETWORK */
export function decodeR3(context: ProtocolContext, bytes: Uint8Array): R3 {
  const reader = new Reader(bytes, 'R3');
  readPreamble(context, reader);
  const r3 = {
    deviceId: reader.raw(DEVICE_ID_LENGTH),
    nodeId: readNodeId(reader),
    epoch: readCount(reader),
    codeNonce: reader.raw(NONCE_LENGTH),
    tag: reader.bytes(MAX_TAG),
  };
  reader.end();
  return r3;
}
