import { Reader, SymmetraError, Writer, equalConstantTime, labelBytes, sha256 } from '@symmetra/crypto';
import {
  DEVICE_ID_LENGTH,
  MAX_NODES,
  NONCE_LENGTH,
  SHORT_ID_LENGTH,
  preamble,
  readCount,
  readNodeId,
  readPreamble,
} from '../context.js';
import type { ProtocolContext } from '../context.js';
import type { Descriptor } from '../control/descriptor.js';
import { deviceIdOf } from '../enrolment/token.js';
import { SHARE_LENGTH } from '../pairwise/header.js';

const HASH_LENGTH = 32;

/** ENR-9: what every node sees of an introduction. Hashes are SHA-256, whatever suite the device enrols with. */
export interface IntroductionHeader {
  /** The device that is introduced; SHA-256 of token id and enrolment nonce, as at every node. */
  readonly deviceId: Uint8Array;
  readonly tokenId: Uint8Array;
  /** n_E. */
  readonly enrolmentNonce: Uint8Array;
  /** The node that shall get to know it. */
  readonly nodeId: string;
  /** H(pk) of that node. */
  readonly nodeKeyHash: Uint8Array;
  readonly descriptorVersion: number;
  /** k. */
  readonly threshold: number;
  /** The nodes that introduce; share i goes to the node at place i, counted from 1. */
  readonly nodes: readonly string[];
  readonly commitments: readonly Uint8Array[];
}

export function encodeIntroductionHeader(context: ProtocolContext, header: IntroductionHeader): Uint8Array {
  return preamble(context)
    .raw(header.deviceId)
    .raw(header.tokenId)
    .raw(header.enrolmentNonce)
    .text(header.nodeId)
    .raw(header.nodeKeyHash)
    .u64(header.descriptorVersion)
    .u8(header.threshold)
    .list(header.nodes, (w, node) => w.text(node))
    .list(header.commitments, (w, commitment) => w.raw(commitment))
    .finish();
}

/** @throws BAD_ENCODING, WRONG_VERSION, WRONG_NETWORK, BAD_HEADER */
export function decodeIntroductionHeader(context: ProtocolContext, bytes: Uint8Array): IntroductionHeader {
  const reader = new Reader(bytes, 'introduction header');
  readPreamble(context, reader);
  const header: IntroductionHeader = {
    deviceId: reader.raw(DEVICE_ID_LENGTH),
    tokenId: reader.raw(SHORT_ID_LENGTH),
    enrolmentNonce: reader.raw(NONCE_LENGTH),
    nodeId: readNodeId(reader),
    nodeKeyHash: reader.raw(HASH_LENGTH),
    descriptorVersion: readCount(reader),
    threshold: reader.u8(),
    nodes: reader.list(MAX_NODES, readNodeId),
    commitments: reader.list(MAX_NODES, (r) => r.raw(HASH_LENGTH)),
  };
  reader.end();
  checkHeader(header);
  return header;
}

/** The rules that hold for every header, whoever reads it. @throws BAD_HEADER */
function checkHeader(header: IntroductionHeader): void {
  const { nodes, threshold } = header;
  const bad = (reason: string): SymmetraError => new SymmetraError('BAD_HEADER', `the header ${reason}`);
  if (!equalConstantTime(header.deviceId, deviceIdOf(header.tokenId, header.enrolmentNonce))) {
    throw bad('names a device that its token and nonce do not give');
  }
  if (new Set(nodes).size !== nodes.length || nodes.includes(header.nodeId)) {
    throw bad('names a node twice, or has the new node introduce itself');
  }
  if (threshold < 2 || threshold > nodes.length) throw bad('has a threshold that its node set can not meet');
  if (header.commitments.length !== nodes.length) throw bad('has commitments that do not fit its node set');
}

/** What any node checks a header against. @throws DESCRIPTOR_OLD, NODE_STALE, BELOW_FLOOR */
export function checkIntroducers(descriptor: Descriptor, header: IntroductionHeader): void {
  if (header.descriptorVersion < descriptor.version) {
    throw new SymmetraError('DESCRIPTOR_OLD', 'the introduction was made with an older descriptor', {
      version: descriptor.version,
    });
  }
  if (header.descriptorVersion > descriptor.version) {
    throw new SymmetraError(
      'NODE_STALE',
      'this node has not heard of the descriptor of the introduction yet',
      {
        version: descriptor.version,
      },
    );
  }
  const known = header.nodes.every((id) => descriptor.nodes.some((node) => node.id === id));
  if (known && header.threshold >= descriptor.threshold) return;
  throw new SymmetraError('BELOW_FLOOR', 'the node set or threshold is below what the descriptor asks', {
    nodes: header.nodes.length,
    threshold: descriptor.threshold,
  });
}

/** H(header). */
export function introductionHash(header: Uint8Array): Uint8Array {
  return sha256(header);
}

/** cm_i = SHA-256(label, device id, new node, i, s_i). */
export function introductionCommitment(
  { deviceId, nodeId }: Pick<IntroductionHeader, 'deviceId' | 'nodeId'>,
  place: number,
  share: Uint8Array,
): Uint8Array {
  const fields = new Writer().bytes(labelBytes('introShare')).raw(deviceId).text(nodeId).u8(place).raw(share);
  return sha256(fields.finish());
}

/**
 * Whether a node's share is the one that the header commits to.
 * @returns the node's place, counted from 1
 * @throws NOT_IN_NODE_SET, SHARE_MISMATCH
 */
export function checkIntroductionShare(
  header: IntroductionHeader,
  nodeId: string,
  share: Uint8Array,
): number {
  const place = header.nodes.indexOf(nodeId) + 1;
  const commitment = header.commitments[place - 1];
  if (commitment === undefined) {
    throw new SymmetraError('NOT_IN_NODE_SET', 'the node is not among those that introduce the device');
  }
  const fits =
    share.length === SHARE_LENGTH &&
    equalConstantTime(commitment, introductionCommitment(header, place, share));
  if (!fits) {
    throw new SymmetraError('SHARE_MISMATCH', 'the share does not fit its commitment', { node: nodeId });
  }
  return place;
}
