import { Reader, SymmetraError, Writer, fromHex, toHex } from '@symmetra/crypto';
import { NONCE_LENGTH, preamble, readNodeId, readPreamble } from '../context.js';
import type { ProtocolContext } from '../context.js';
import { INSTANCE_LENGTH, readEnd, writeEnd } from './end.js';
import type { LinkEnd } from './end.js';

/** What the first byte of a datagram says. */
export const LINK_OPEN = 1;
export const LINK_ANSWER = 2;
export const LINK_CONFIRM = 3;
export const LINK_DONE = 4;
export const LINK_SEALED = 5;

/** Bytes of a link id. */
export const LINK_ID_LENGTH = 8;
const KEY_HASH_LENGTH = 32;
const MAX_KEM_BYTES = 4096;
const MAX_TAG = 64;
const MAX_KEY_ID = 128;

/** A message of the handshake as it travels: its body, canonical bytes, and tags. */
interface Tagged {
  readonly body: Uint8Array;
  readonly tag: Uint8Array;
}

/** LINK-1: what the initiator says. */
export interface LinkOpenBody {
  readonly suiteId: number;
  readonly initiator: LinkEnd;
  readonly responder: string;
  /** Undefined: any process of that node. */
  readonly responderInstance: string | undefined;
  readonly initiatorKeyHash: Uint8Array;
  readonly responderKeyHash: Uint8Array;
  /** n_I, 32 bytes. */
  readonly nonce: Uint8Array;
  readonly psk: boolean;
  /** Id of a link that still serves; empty where none is offered. */
  readonly former: Uint8Array;
  readonly ephemeralKey: Uint8Array;
  /** ct_R. */
  readonly staticCiphertext: Uint8Array;
}

/** LINK-2: what the responder says. */
export interface LinkAnswerBody {
  readonly initiatorNonce: Uint8Array;
  /** n_R, 32 bytes. */
  readonly nonce: Uint8Array;
  readonly instance: string;
  readonly formerUsed: boolean;
  readonly ephemeralKey: Uint8Array;
  /** ct_E. */
  readonly ephemeralCiphertext: Uint8Array;
  /** ct_I. */
  readonly staticCiphertext: Uint8Array;
}

/** LINK-3: what the initiator adds. */
export interface LinkConfirmBody {
  readonly initiatorNonce: Uint8Array;
  readonly responderNonce: Uint8Array;
  /** ct_F. */
  readonly ciphertext: Uint8Array;
  /** key_ID of the QKD key; empty where none is mixed in. */
  readonly qkdKeyId: string;
}

export function encodeLinkOpenBody(context: ProtocolContext, body: LinkOpenBody): Uint8Array {
  const writer = writeEnd(preamble(context).u8(body.suiteId), body.initiator).text(body.responder);
  return writer
    .bytes(fromHex(body.responderInstance ?? ''))
    .raw(body.initiatorKeyHash)
    .raw(body.responderKeyHash)
    .raw(body.nonce)
    .u8(body.psk ? 1 : 0)
    .bytes(body.former)
    .bytes(body.ephemeralKey)
    .bytes(body.staticCiphertext)
    .finish();
}

/** @throws BAD_ENCODING, WRONG_VERSION, WRONG_NETWORK */
export function decodeLinkOpenBody(context: ProtocolContext, bytes: Uint8Array): LinkOpenBody {
  const reader = new Reader(bytes, 'link open');
  readPreamble(context, reader);
  const body: LinkOpenBody = {
    suiteId: reader.u8(),
    initiator: readEnd(reader),
    responder: readNodeId(reader),
    responderInstance: instanceOf(reader.bytes(INSTANCE_LENGTH)),
    initiatorKeyHash: reader.raw(KEY_HASH_LENGTH),
    responderKeyHash: reader.raw(KEY_HASH_LENGTH),
    nonce: reader.raw(NONCE_LENGTH),
    psk: readFlag(reader),
    former: reader.bytes(LINK_ID_LENGTH),
    ephemeralKey: reader.bytes(MAX_KEM_BYTES),
    staticCiphertext: reader.bytes(MAX_KEM_BYTES),
  };
  reader.end();
  const offers = body.former.length > 0;
  if (offers && (body.former.length !== LINK_ID_LENGTH || body.responderInstance === undefined)) {
    throw badEncoding('the link open names no whole former link of one process');
  }
  return body;
}

export function encodeLinkOpen(message: Tagged): Uint8Array {
  return new Writer().u8(LINK_OPEN).bytes(message.body).bytes(message.tag).finish();
}

/** @throws BAD_ENCODING */
export function decodeLinkOpen(datagram: Uint8Array): Tagged {
  return decodeTagged(datagram, LINK_OPEN, 'link open');
}

export function encodeLinkAnswerBody(body: LinkAnswerBody): Uint8Array {
  return new Writer()
    .raw(body.initiatorNonce)
    .raw(body.nonce)
    .raw(fromHex(body.instance))
    .u8(body.formerUsed ? 1 : 0)
    .bytes(body.ephemeralKey)
    .bytes(body.ephemeralCiphertext)
    .bytes(body.staticCiphertext)
    .finish();
}

/** @throws BAD_ENCODING */
export function decodeLinkAnswerBody(bytes: Uint8Array): LinkAnswerBody {
  const reader = new Reader(bytes, 'link answer');
  const body: LinkAnswerBody = {
    initiatorNonce: reader.raw(NONCE_LENGTH),
    nonce: reader.raw(NONCE_LENGTH),
    instance: toHex(reader.raw(INSTANCE_LENGTH)),
    formerUsed: readFlag(reader),
    ephemeralKey: reader.bytes(MAX_KEM_BYTES),
    ephemeralCiphertext: reader.bytes(MAX_KEM_BYTES),
    staticCiphertext: reader.bytes(MAX_KEM_BYTES),
  };
  reader.end();
  return body;
}

export function encodeLinkAnswer(message: Tagged): Uint8Array {
  return new Writer().u8(LINK_ANSWER).bytes(message.body).bytes(message.tag).finish();
}

/** @throws BAD_ENCODING */
export function decodeLinkAnswer(datagram: Uint8Array): Tagged {
  return decodeTagged(datagram, LINK_ANSWER, 'link answer');
}

export function encodeLinkConfirmBody(body: LinkConfirmBody): Uint8Array {
  return new Writer()
    .raw(body.initiatorNonce)
    .raw(body.responderNonce)
    .bytes(body.ciphertext)
    .text(body.qkdKeyId)
    .finish();
}

/** @throws BAD_ENCODING */
export function decodeLinkConfirmBody(bytes: Uint8Array): LinkConfirmBody {
  const reader = new Reader(bytes, 'link confirm');
  const body: LinkConfirmBody = {
    initiatorNonce: reader.raw(NONCE_LENGTH),
    responderNonce: reader.raw(NONCE_LENGTH),
    ciphertext: reader.bytes(MAX_KEM_BYTES),
    qkdKeyId: reader.text(MAX_KEY_ID),
  };
  reader.end();
  return body;
}

/** LINK-3 as it travels. */
export interface LinkConfirm extends Tagged {
  /** Under k_1: checked before anything that costs. */
  readonly gate: Uint8Array;
}

export function encodeLinkConfirm(message: LinkConfirm): Uint8Array {
  const writer = new Writer().u8(LINK_CONFIRM).bytes(message.body);
  return writer.bytes(message.gate).bytes(message.tag).finish();
}

/** @throws BAD_ENCODING */
export function decodeLinkConfirm(datagram: Uint8Array): LinkConfirm {
  const reader = readerOf(datagram, LINK_CONFIRM, 'link confirm');
  const message = { body: reader.bytes(), gate: reader.bytes(MAX_TAG), tag: reader.bytes(MAX_TAG) };
  reader.end();
  return message;
}

/** LINK-4: the responder holds the keys. */
export interface LinkDone {
  readonly initiatorNonce: Uint8Array;
  readonly responderNonce: Uint8Array;
  readonly tag: Uint8Array;
}

export function encodeLinkDone(message: LinkDone): Uint8Array {
  const writer = new Writer().u8(LINK_DONE).raw(message.initiatorNonce).raw(message.responderNonce);
  return writer.bytes(message.tag).finish();
}

/** @throws BAD_ENCODING */
export function decodeLinkDone(datagram: Uint8Array): LinkDone {
  const reader = readerOf(datagram, LINK_DONE, 'link done');
  const message = {
    initiatorNonce: reader.raw(NONCE_LENGTH),
    responderNonce: reader.raw(NONCE_LENGTH),
    tag: reader.bytes(MAX_TAG),
  };
  reader.end();
  return message;
}

function decodeTagged(datagram: Uint8Array, kind: number, what: string): Tagged {
  const reader = readerOf(datagram, kind, what);
  const message = { body: reader.bytes(), tag: reader.bytes(MAX_TAG) };
  reader.end();
  return message;
}

function readerOf(datagram: Uint8Array, kind: number, what: string): Reader {
  const reader = new Reader(datagram, what);
  if (reader.u8() !== kind) throw badEncoding(`the datagram is no ${what}`);
  return reader;
}

function instanceOf(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0) return undefined;
  if (bytes.length !== INSTANCE_LENGTH) throw badEncoding('the link open names no whole instance');
  return toHex(bytes);
}

function readFlag(reader: Reader): boolean {
  const flag = reader.u8();
  if (flag > 1) throw badEncoding('a flag is neither 0 nor 1');
  return flag === 1;
}

function badEncoding(message: string): SymmetraError {
  return new SymmetraError('BAD_ENCODING', message);
}
