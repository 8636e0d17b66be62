import { Writer, fromHex, toHex } from '@symmetra/crypto';
import type { KdfContext, Reader, Secret } from '@symmetra/crypto';
import { readNodeId } from '../context.js';
import type { ProtocolContext } from '../context.js';

/** Bytes of the instance of a process. */
export const INSTANCE_LENGTH = 4;

/** One end of a link: a process of a node. */
export interface LinkEnd {
  readonly nodeId: string;
  /** 8 characters of hexadecimal; another one whenever a process starts. */
  readonly instance: string;
}

/** A secret that two nodes were given by hand; any length. */
export type LinkPsk = Secret<'LinkPsk'>;

/** This process, and the keys of its node in the suite of the link. */
export interface LinkSelf extends LinkEnd {
  readonly suiteId: number;
  readonly publicKey: Uint8Array;
  readonly secretKey: Secret<'NodeKemKey'>;
  /** H(pk_Ni), 32 bytes. */
  readonly keyHash: Uint8Array;
}

/** The node at the other end as the descriptor names it, and what was agreed on with it by hand. */
export interface LinkPeer {
  readonly nodeId: string;
  /** Its static KEM key in the suite of the link. */
  readonly publicKey: Uint8Array;
  readonly keyHash: Uint8Array;
  readonly psk?: LinkPsk | undefined;
}

/** The end's identity in derivations and messages: text(node id) || raw(4) instance. */
export function writeEnd(writer: Writer, end: LinkEnd): Writer {
  return writer.text(end.nodeId).raw(fromHex(end.instance));
}

/** @throws BAD_ENCODING */
export function readEnd(reader: Reader): LinkEnd {
  return { nodeId: readNodeId(reader), instance: toHex(reader.raw(INSTANCE_LENGTH)) };
}

/** Whether two ends are the same process. */
export function sameEnd(a: LinkEnd, b: LinkEnd): boolean {
  return a.nodeId === b.nodeId && a.instance === b.instance;
}

const NO_EPOCH = new Uint8Array(0);

/** L(th): the derivation context of a link. */
export function linkContext(
  context: ProtocolContext,
  initiator: LinkEnd,
  responder: LinkEnd,
  transcriptHash: Uint8Array,
): KdfContext {
  return {
    networkId: context.networkId,
    initiator: writeEnd(new Writer(), initiator).finish(),
    responder: writeEnd(new Writer(), responder).finish(),
    epoch: NO_EPOCH,
    transcriptHash,
  };
}
