import { Reader, Writer } from '@symmetra/crypto';
import {
  DEVICE_ID_LENGTH,
  MAX_NAME_LENGTH,
  NONCE_LENGTH,
  SHORT_ID_LENGTH,
  preamble,
  readCount,
  readNodeId,
  readPreamble,
} from '../context.js';
import type { ProtocolContext } from '../context.js';

const MAX_KEM_BYTES = 4096;
const MAX_TAG = 64;

/** ENR-2: m1, what the device offers to one node. */
export interface OfferBody {
  readonly suiteId: number;
  readonly nodeId: string;
  readonly descriptorVersion: number;
  readonly tokenId: Uint8Array;
  /** n_E, one for all nodes. */
  readonly enrolmentNonce: Uint8Array;
  readonly ephemeralKey: Uint8Array;
  /** ct1, encapsulated to the node's static key. */
  readonly ciphertext: Uint8Array;
  /** The device's name for people; may be empty. */
  readonly name: string;
}

/** The offer as it travels: m1 and its two tags. */
export interface Offer {
  /** m1, canonical bytes. */
  readonly body: Uint8Array;
  readonly filterTag: Uint8Array;
  readonly tag: Uint8Array;
}

export function encodeOfferBody(context: ProtocolContext, body: OfferBody): Uint8Array {
  return preamble(context)
    .u8(body.suiteId)
    .text(body.nodeId)
    .u64(body.descriptorVersion)
    .raw(body.tokenId)
    .raw(body.enrolmentNonce)
    .bytes(body.ephemeralKey)
    .bytes(body.ciphertext)
    .text(body.name)
    .finish();
}

/** @throws BAD_ENCODING, WRONG_VERSION, WRONG_NETWORK */
export function decodeOfferBody(context: ProtocolContext, bytes: Uint8Array): OfferBody {
  const reader = new Reader(bytes, 'enrolment offer');
  readPreamble(context, reader);
  const body: OfferBody = {
    suiteId: reader.u8(),
    nodeId: readNodeId(reader),
    descriptorVersion: readCount(reader),
    tokenId: reader.raw(SHORT_ID_LENGTH),
    enrolmentNonce: reader.raw(NONCE_LENGTH),
    ephemeralKey: reader.bytes(MAX_KEM_BYTES),
    ciphertext: reader.bytes(MAX_KEM_BYTES),
    name: reader.text(MAX_NAME_LENGTH),
  };
  reader.end();
  return body;
}

export function encodeOffer(offer: Offer): Uint8Array {
  return new Writer().bytes(offer.body).bytes(offer.filterTag).bytes(offer.tag).finish();
}

/** @throws BAD_ENCODING */
export function decodeOffer(bytes: Uint8Array): Offer {
  const reader = new Reader(bytes, 'enrolment offer');
  const offer = { body: reader.bytes(), filterTag: reader.bytes(MAX_TAG), tag: reader.bytes(MAX_TAG) };
  reader.end();
  return offer;
}

/** ENR-4: the node's answer. */
export interface Answer {
  /** n_N, 32 bytes. */
  readonly nonce: Uint8Array;
  /** ct2, encapsulated to the device's ephemeral key. */
  readonly ciphertext: Uint8Array;
  /** The account that the token belongs to. */
  readonly account: string;
  /** tagN. */
  readonly tag: Uint8Array;
}

export function encodeAnswer(answer: Answer): Uint8Array {
  return new Writer()
    .raw(answer.nonce)
    .bytes(answer.ciphertext)
    .text(answer.account)
    .bytes(answer.tag)
    .finish();
}

/** @throws BAD_ENCODING */
export function decodeAnswer(bytes: Uint8Array): Answer {
  const reader = new Reader(bytes, 'enrolment answer');
  const answer = {
    nonce: reader.raw(NONCE_LENGTH),
    ciphertext: reader.bytes(MAX_KEM_BYTES),
    account: reader.text(MAX_NAME_LENGTH),
    tag: reader.bytes(MAX_TAG),
  };
  reader.end();
  return answer;
}

/** ENR-5: the device's confirmation. */
export interface Confirmation {
  readonly tokenId: Uint8Array;
  readonly deviceId: Uint8Array;
  /** tagD. */
  readonly tag: Uint8Array;
}

export function encodeConfirmation(confirmation: Confirmation): Uint8Array {
  return new Writer().raw(confirmation.tokenId).raw(confirmation.deviceId).bytes(confirmation.tag).finish();
}

/** @throws BAD_ENCODING */
export function decodeConfirmation(bytes: Uint8Array): Confirmation {
  const reader = new Reader(bytes, 'enrolment confirmation');
  const confirmation = {
    tokenId: reader.raw(SHORT_ID_LENGTH),
    deviceId: reader.raw(DEVICE_ID_LENGTH),
    tag: reader.bytes(MAX_TAG),
  };
  reader.end();
  return confirmation;
}
