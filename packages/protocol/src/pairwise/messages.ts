import { Reader, SymmetraError, Writer } from '@symmetra/crypto';
import { MAX_NODES, NONCE_LENGTH, SHORT_ID_LENGTH } from '../context.js';
import { readLimits, writeLimits } from './header.js';
import type { Limits } from './header.js';

const MAX_TAG = 64;
const MAX_KEM_BYTES = 4096;
const MAX_CODE = 64;

const RESPONSE = 1;
const CONFIRM = 2;
const ACKNOWLEDGE = 3;
const REFUSE = 4;

/** PAIR-7: the responder's answer. */
export interface PairResponse {
  readonly kind: 'response';
  readonly keyId: Uint8Array;
  /** ct, encapsulated to epk_A; empty when there is no direct KEM. */
  readonly ciphertext: Uint8Array;
  /** n_B, 32 bytes. */
  readonly nonce: Uint8Array;
  /** Places of the nodes whose shares were used, counted from 1, ascending. */
  readonly used: readonly number[];
  readonly limits: Limits;
  /** The continuity secret chosen among the offers, 16 bytes; absent when none is used. */
  readonly continuityId?: Uint8Array;
  /** MAC(conf_B, th). */
  readonly tag: Uint8Array;
}

/** PAIR-8: the initiator's confirmation, MAC(conf_A, th). */
export interface PairConfirm {
  readonly kind: 'confirm';
  readonly keyId: Uint8Array;
  readonly tag: Uint8Array;
}

/** PAIR-9: the responder's acknowledgement, MAC(ack, th). */
export interface PairAcknowledge {
  readonly kind: 'acknowledge';
  readonly keyId: Uint8Array;
  readonly tag: Uint8Array;
}

/** PAIR-7: the responder refuses, with its reason, authenticated under S. */
export interface PairRefuse {
  readonly kind: 'refuse';
  readonly keyId: Uint8Array;
  /** Stable error code. */
  readonly code: string;
  readonly tag: Uint8Array;
}

/** What travels between the two devices, directly or through their home nodes. */
export type PairMessage = PairResponse | PairConfirm | PairAcknowledge | PairRefuse;

export function encodePairMessage(message: PairMessage): Uint8Array {
  switch (message.kind) {
    case 'response':
      return encodeResponse(message);
    case 'confirm':
      return new Writer().u8(CONFIRM).raw(message.keyId).bytes(message.tag).finish();
    case 'acknowledge':
      return new Writer().u8(ACKNOWLEDGE).raw(message.keyId).bytes(message.tag).finish();
    case 'refuse':
      return new Writer().u8(REFUSE).raw(message.keyId).text(message.code).bytes(message.tag).finish();
  }
}

function encodeResponse(message: PairResponse): Uint8Array {
  const writer = new Writer()
    .u8(RESPONSE)
    .raw(message.keyId)
    .bytes(message.ciphertext)
    .raw(message.nonce)
    .list(message.used, (w, place) => w.u8(place));
  return writeLimits(writer, message.limits)
    .bytes(message.continuityId ?? new Uint8Array(0))
    .bytes(message.tag)
    .finish();
}

/** @throws BAD_ENCODING */
export function decodePairMessage(bytes: Uint8Array): PairMessage {
  const reader = new Reader(bytes, 'pair message');
  const type = reader.u8();
  const keyId = reader.raw(SHORT_ID_LENGTH);
  const message = decodeBody(reader, type, keyId);
  reader.end();
  return message;
}

function decodeBody(reader: Reader, type: number, keyId: Uint8Array): PairMessage {
  switch (type) {
    case RESPONSE:
      return decodeResponse(reader, keyId);
    case CONFIRM:
      return { kind: 'confirm', keyId, tag: reader.bytes(MAX_TAG) };
    case ACKNOWLEDGE:
      return { kind: 'acknowledge', keyId, tag: reader.bytes(MAX_TAG) };
    case REFUSE:
      return { kind: 'refuse', keyId, code: reader.text(MAX_CODE), tag: reader.bytes(MAX_TAG) };
    default:
      throw new SymmetraError('BAD_ENCODING', 'a pair message is of unknown type', { type });
  }
}

function decodeResponse(reader: Reader, keyId: Uint8Array): PairResponse {
  const fields = {
    ciphertext: reader.bytes(MAX_KEM_BYTES),
    nonce: reader.raw(NONCE_LENGTH),
    used: reader.list(MAX_NODES, (r) => r.u8()),
    limits: readLimits(reader),
  };
  const continuityId = reader.bytes(SHORT_ID_LENGTH);
  if (continuityId.length !== 0 && continuityId.length !== SHORT_ID_LENGTH) {
    throw new SymmetraError('BAD_ENCODING', 'a continuity id has 16 bytes');
  }
  const tag = reader.bytes(MAX_TAG);
  return { kind: 'response', keyId, ...fields, ...(continuityId.length > 0 && { continuityId }), tag };
}
