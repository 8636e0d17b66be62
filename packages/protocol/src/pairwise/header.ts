import { Reader, SymmetraError } from '@symmetra/crypto';
import type { Suite, Writer } from '@symmetra/crypto';
import {
  DEVICE_ID_LENGTH,
  MAX_NAME_LENGTH,
  MAX_NODES,
  SHORT_ID_LENGTH,
  preamble,
  readCount,
  readNodeId,
  readPreamble,
} from '../context.js';
import type { ProtocolContext } from '../context.js';

const MAX_TAG = 64;
/** Most continuity secrets that an initiator offers. */
export const MAX_OFFERS = 2;
/** Bytes of a share and of S. */
export const SHARE_LENGTH = 32;
/** Largest key that may be asked for, bytes. */
export const MAX_KEY_LENGTH = 64;
/** Smallest key that may be asked for, bytes. */
export const MIN_KEY_LENGTH = 16;

/** Limits of a key. */
export interface Limits {
  /** Seconds. */
  readonly lifetimeSeconds: number;
  /** How often the key may be used; 0 means without limit. */
  readonly uses: number;
}

/** A continuity secret that the initiator holds: its id and MAC(KDF(cont, "offer"), key id). */
export interface ContinuityOffer {
  /** 16 bytes. */
  readonly id: Uint8Array;
  readonly tag: Uint8Array;
}

/** PAIR-1: what every node and the responder see of a negotiation. */
export interface Header {
  readonly suiteId: number;
  readonly initiator: Uint8Array;
  readonly responder: Uint8Array;
  /** 16 bytes, drawn by the initiator. */
  readonly keyId: Uint8Array;
  readonly purpose: string;
  /** Bytes of the application key. */
  readonly keyLength: number;
  readonly limits: Limits;
  /** k. */
  readonly threshold: number;
  /** The node set; share i goes to the node at place i, counted from 1. */
  readonly nodes: readonly string[];
  /** cm_i = H(label, i, s_i), in the order of the nodes. */
  readonly commitments: readonly Uint8Array[];
  /** H(epk_A); absent when there is no direct KEM. */
  readonly ephemeralKeyHash?: Uint8Array;
  readonly offers: readonly ContinuityOffer[];
  readonly descriptorVersion: number;
  readonly policyRevision: number;
}

export function encodeHeader(context: ProtocolContext, header: Header): Uint8Array {
  const writer = preamble(context)
    .u8(header.suiteId)
    .raw(header.initiator)
    .raw(header.responder)
    .raw(header.keyId)
    .text(header.purpose)
    .u16(header.keyLength);
  writeLimits(writer, header.limits)
    .u8(header.threshold)
    .list(header.nodes, (w, node) => w.text(node))
    .list(header.commitments, (w, commitment) => w.bytes(commitment))
    .bytes(header.ephemeralKeyHash ?? new Uint8Array(0))
    .list(header.offers, (w, offer) => w.raw(offer.id).bytes(offer.tag))
    .u64(header.descriptorVersion)
    .u64(header.policyRevision);
  return writer.finish();
}

/** @throws BAD_ENCODING, WRONG_VERSION, WRONG_NETWORK, SUITE_UNKNOWN, BAD_HEADER */
export function decodeHeader(context: ProtocolContext, bytes: Uint8Array): Header {
  const reader = new Reader(bytes, 'pairwise header');
  readPreamble(context, reader);
  const fields = {
    suiteId: reader.u8(),
    initiator: reader.raw(DEVICE_ID_LENGTH),
    responder: reader.raw(DEVICE_ID_LENGTH),
    keyId: reader.raw(SHORT_ID_LENGTH),
    purpose: reader.text(MAX_NAME_LENGTH),
    keyLength: reader.u16(),
    limits: readLimits(reader),
    threshold: reader.u8(),
    nodes: reader.list(MAX_NODES, readNodeId),
    commitments: reader.list(MAX_NODES, (r) => r.bytes(MAX_TAG)),
  };
  const ephemeralKeyHash = reader.bytes(MAX_TAG);
  const header: Header = {
    ...fields,
    ...(ephemeralKeyHash.length > 0 && { ephemeralKeyHash }),
    offers: reader.list(MAX_OFFERS, (r) => ({ id: r.raw(SHORT_ID_LENGTH), tag: r.bytes(MAX_TAG) })),
    descriptorVersion: readCount(reader),
    policyRevision: readCount(reader),
  };
  reader.end();
  checkHeader(context.suites.get(header.suiteId), header);
  return header;
}

/** What pair and group headers say alike of the key that they ask for, and of the nodes that share it out. */
export type KeyTerms = Pick<Header, 'purpose' | 'keyLength' | 'limits' | 'nodes' | 'threshold'>;

/** PAIR-1, GRP-1: what is wrong with the terms of a key, whoever reads them; behind "the header". */
export function faultOfTerms({ purpose, keyLength, limits, nodes, threshold }: KeyTerms): string | undefined {
  if (purpose === '') return 'names no purpose';
  if (keyLength < MIN_KEY_LENGTH || keyLength > MAX_KEY_LENGTH) {
    return 'asks for a key of a length not allowed';
  }
  if (limits.lifetimeSeconds === 0) return 'asks for a key without a lifetime';
  if (new Set(nodes).size !== nodes.length) return 'names a node twice';
  if (threshold < 2 || threshold > nodes.length) return 'has a threshold that its node set can not meet';
  return undefined;
}

/** The rules that hold for every header, whoever reads it. @throws BAD_HEADER */
function checkHeader(suite: Suite, header: Header): void {
  const { nodes } = header;
  const bad = (reason: string): SymmetraError => new SymmetraError('BAD_HEADER', `the header ${reason}`);
  const fault = faultOfTerms(header);
  if (fault !== undefined) throw bad(fault);
  const hashes = [...header.commitments, ...(header.ephemeralKeyHash ? [header.ephemeralKeyHash] : [])];
  if (header.commitments.length !== nodes.length || hashes.some((hash) => hash.length !== suite.hashLength)) {
    throw bad('has commitments that do not fit its suite or node set');
  }
  if (header.offers.some(({ tag }) => tag.length !== 32 && tag.length !== 64)) {
    throw bad('has an offer of wrong length');
  }
  if (header.initiator.every((byte, i) => byte === header.responder[i])) {
    throw bad('has one device at both ends');
  }
}

export function writeLimits(writer: Writer, limits: Limits): Writer {
  return writer.u32(limits.lifetimeSeconds).u32(limits.uses);
}

export function readLimits(reader: Reader): Limits {
  return { lifetimeSeconds: reader.u32(), uses: reader.u32() };
}

/** The strictest of several limits; 0 uses means without limit. */
export function strictest(all: readonly Limits[]): Limits {
  const uses = all.map((limits) => limits.uses).filter((count) => count > 0);
  return {
    lifetimeSeconds: Math.min(...all.map((limits) => limits.lifetimeSeconds)),
    uses: uses.length === 0 ? 0 : Math.min(...uses),
  };
}

/** Whether two limits are the same. */
export function sameLimits(one: Limits, other: Limits): boolean {
  return one.lifetimeSeconds === other.lifetimeSeconds && one.uses === other.uses;
}

/** Whether `granted` stays within `asked`. */
export function within(granted: Limits, asked: Limits): boolean {
  return (
    granted.lifetimeSeconds > 0 &&
    granted.lifetimeSeconds <= asked.lifetimeSeconds &&
    (asked.uses === 0 || (granted.uses > 0 && granted.uses <= asked.uses))
  );
}
