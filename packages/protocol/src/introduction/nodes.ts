import { SymmetraError, combine, concat, equalConstantTime, sha256 } from '@symmetra/crypto';
import type { ProtocolContext } from '../context.js';
import { nodeKeyHash } from '../control/descriptor.js';
import type { Descriptor } from '../control/descriptor.js';
import type { NodeTokenSecret } from '../enrolment/token.js';
import {
  checkIntroducers,
  checkIntroductionShare,
  decodeIntroductionHeader,
  introductionHash,
} from './header.js';
import type { IntroductionHeader } from './header.js';
import { decodeDeviceFacts } from './part.js';
import type { DeviceFacts, IntroductionPart } from './part.js';
import { introducedToken } from './token.js';

/*
 * new node:  parts of different nodes --k that are identical but for their shares--> introduced, t_new
 */

/** An introduction as a node read it. */
export interface ReadIntroduction {
  readonly header: IntroductionHeader;
  /** H(header). */
  readonly headerHash: Uint8Array;
}

/**
 * ENR-10: a node at which the device is enrolled checks what the device asks. It approves or refuses, and never edits.
 * @param sender the device whose session the request came from
 * @throws BAD_ENCODING, WRONG_VERSION, WRONG_NETWORK, BAD_HEADER, INITIATOR_MISMATCH, DESCRIPTOR_OLD, NODE_STALE,
 *   NODE_UNKNOWN, BELOW_FLOOR, NOT_IN_NODE_SET, SHARE_MISMATCH
 */
export function checkIntroduction(
  context: ProtocolContext,
  node: { readonly nodeId: string; readonly descriptor: Descriptor },
  sender: Uint8Array,
  request: { readonly header: Uint8Array; readonly share: Uint8Array },
): ReadIntroduction {
  const header = decodeIntroductionHeader(context, request.header);
  if (!equalConstantTime(header.deviceId, sender)) {
    throw new SymmetraError('INITIATOR_MISMATCH', 'the header names another device');
  }
  checkIntroducers(node.descriptor, header);
  const named = node.descriptor.nodes.find(({ id }) => id === header.nodeId);
  if (named === undefined || !equalConstantTime(nodeKeyHash(named), header.nodeKeyHash)) {
    throw new SymmetraError('NODE_UNKNOWN', 'the descriptor names no such node with these keys', {
      node: header.nodeId,
    });
  }
  checkIntroductionShare(header, node.nodeId, request.share);
  return { header, headerHash: introductionHash(request.header) };
}

/** The node that shall get to know a device. */
export interface NewNode {
  readonly nodeId: string;
  readonly nodeKeyHash: Uint8Array;
  readonly descriptor: Descriptor;
}

/**
 * ENR-11: the new node checks what one node passed on.
 * @param from the node that sent it, as the bus proves
 * @throws BAD_ENCODING, WRONG_VERSION, WRONG_NETWORK, BAD_HEADER, WRONG_NODE, NODE_UNKNOWN, DESCRIPTOR_OLD, NODE_STALE,
 *   BELOW_FLOOR, NOT_IN_NODE_SET, SHARE_MISMATCH
 */
export function checkIntroductionPart(
  context: ProtocolContext,
  node: NewNode,
  from: string,
  part: IntroductionPart,
): ReadIntroduction {
  const header = decodeIntroductionHeader(context, part.header);
  if (header.nodeId !== node.nodeId) {
    throw new SymmetraError('WRONG_NODE', 'the introduction is meant for another node');
  }
  if (!equalConstantTime(header.nodeKeyHash, node.nodeKeyHash)) {
    throw new SymmetraError('NODE_UNKNOWN', 'the introduction names other keys for this node', {
      node: node.nodeId,
    });
  }
  checkIntroducers(node.descriptor, header);
  checkIntroductionShare(header, from, part.share.bytes);
  decodeDeviceFacts(part.facts);
  return { header, headerHash: introductionHash(part.header) };
}

/** A device that k nodes introduced. */
export interface IntroducedDevice extends ReadIntroduction {
  readonly facts: DeviceFacts;
  /** t_new; the caller's. */
  readonly token: NodeTokenSecret;
}

/** Whether two nodes passed on the same: header and facts, byte by byte. */
export function isSameIntroduction(one: IntroductionPart, other: IntroductionPart): boolean {
  return equalConstantTime(sameness(one), sameness(other));
}

function sameness({ header, facts }: IntroductionPart): Uint8Array {
  return sha256(concat(sha256(header), sha256(facts)));
}

/**
 * ENR-12: rebuilds t_new from parts that {@link checkIntroductionPart} passed, one of each node.
 * @param newest the part that came last: only what equals it counts.
 * @returns undefined while fewer than k nodes passed on the same
 */
export function completeIntroduction(
  context: ProtocolContext,
  newest: { readonly from: string; readonly part: IntroductionPart },
  others: ReadonlyMap<string, IntroductionPart>,
): IntroducedDevice | undefined {
  const header = decodeIntroductionHeader(context, newest.part.header);
  const parts = new Map([...others, [newest.from, newest.part]]);
  const same = [...parts].filter(([, part]) => isSameIntroduction(part, newest.part));
  if (same.length < header.threshold) return undefined;
  const secret = combine(
    same.map(([from, { share }]) => ({ x: header.nodes.indexOf(from) + 1, bytes: share.bytes })),
  );
  const headerHash = introductionHash(newest.part.header);
  const token = introducedToken(context, header, headerHash, secret);
  secret.fill(0);
  return { header, headerHash, facts: decodeDeviceFacts(newest.part.facts), token };
}
