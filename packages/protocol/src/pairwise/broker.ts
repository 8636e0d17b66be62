import { SymmetraError, equalConstantTime } from '@symmetra/crypto';
import type { ProtocolContext } from '../context.js';
import { SHARE_LENGTH, decodeHeader } from './header.js';
import type { Header, Limits } from './header.js';
import { ephemeralKeyHash, shareCommitment } from './transcript.js';

/** What a node knows of a device when it decides. */
export interface DeviceStanding {
  readonly revoked: boolean;
  readonly stage: string;
}

/** The rules of one node, from its descriptor and its control log. */
export interface BrokerRules {
  readonly nodeId: string;
  readonly descriptorVersion: number;
  /** All nodes of the descriptor. */
  readonly nodes: readonly string[];
  /** The least n and k that the descriptor allows. */
  readonly minimumNodes: number;
  readonly minimumThreshold: number;
  readonly allowedSuites: readonly number[];
  /** Purposes allowed; `*` allows any. */
  readonly purposes: readonly string[];
  readonly maximum: Limits;
  readonly requireDirectKem: boolean;
  /** Stages in which a device may hold pairwise keys. */
  readonly stages: readonly string[];
}

/** A request as it came out of the initiator's session (PAIR-2). */
export interface BrokerRequest {
  readonly header: Uint8Array;
  readonly share: Uint8Array;
  /** Empty without the direct KEM. */
  readonly ephemeralKey: Uint8Array;
}

/** What the node approved: it passes header, share and ephemeral key on as they are. */
export interface Approval {
  readonly header: Header;
  readonly headerHash: Uint8Array;
  readonly granted: Limits;
}

/**
 * PAIR-3: each node decides on its own; it approves or refuses, and never edits.
 *
 * @param sender the device whose session the request came from.
 * @throws BAD_HEADER, INITIATOR_MISMATCH, NOT_IN_NODE_SET, DESCRIPTOR_OLD, SHARE_MISMATCH, EPHEMERAL_KEY_MISMATCH, and
 *   what {@link checkPolicy} throws
 */
export function approve(
  context: ProtocolContext,
  rules: BrokerRules,
  sender: Uint8Array,
  request: BrokerRequest,
): Approval {
  const header = decodeHeader(context, request.header);
  const suite = context.suites.get(header.suiteId);
  if (!equalConstantTime(header.initiator, sender)) {
    throw new SymmetraError('INITIATOR_MISMATCH', 'the header names another device as its initiator');
  }
  const place = header.nodes.indexOf(rules.nodeId) + 1;
  if (place === 0) {
    throw new SymmetraError('NOT_IN_NODE_SET', 'this node is not in the node set of the header');
  }
  if (header.descriptorVersion < rules.descriptorVersion) {
    throw new SymmetraError('DESCRIPTOR_OLD', 'the initiator used an older descriptor', {
      version: rules.descriptorVersion,
    });
  }
  checkPolicy(rules, header);
  const commitment = header.commitments[place - 1] as Uint8Array;
  if (
    request.share.length !== SHARE_LENGTH ||
    !equalConstantTime(commitment, shareCommitment(suite, header.keyId, place, request.share))
  ) {
    throw new SymmetraError('SHARE_MISMATCH', 'the share does not fit its commitment');
  }
  const carried = request.ephemeralKey.length > 0 ? ephemeralKeyHash(suite, request.ephemeralKey) : undefined;
  if (!sameHash(carried, header.ephemeralKeyHash)) {
    throw new SymmetraError('EPHEMERAL_KEY_MISMATCH', 'the ephemeral key does not fit the header');
  }
  return { header, headerHash: suite.hash(request.header), granted: grant(header.limits, rules.maximum) };
}

/**
 * PAIR-3, PAIR-4: whether descriptor and policy allow the key that a header asks for; checked at the request and again
 * at delivery.
 * @throws BELOW_FLOOR, SUITE_FORBIDDEN, PURPOSE_FORBIDDEN, DIRECT_KEM_REQUIRED
 */
export function checkPolicy(rules: BrokerRules, header: Header): void {
  checkFloors(rules, header);
  if (rules.requireDirectKem && header.ephemeralKeyHash === undefined) {
    throw new SymmetraError('DIRECT_KEM_REQUIRED', 'policy asks for the direct KEM between the devices');
  }
}

/**
 * PAIR-3, GRP-4: nodes, threshold, suite and purpose of any key.
 * @throws BELOW_FLOOR, SUITE_FORBIDDEN, PURPOSE_FORBIDDEN
 */
export function checkFloors(
  rules: BrokerRules,
  header: Pick<Header, 'nodes' | 'threshold' | 'suiteId' | 'purpose'>,
): void {
  const known = header.nodes.every((node) => rules.nodes.includes(node));
  if (!known || header.nodes.length < rules.minimumNodes || header.threshold < rules.minimumThreshold) {
    throw new SymmetraError('BELOW_FLOOR', 'the node set or threshold is below what the descriptor asks', {
      nodes: rules.minimumNodes,
      threshold: rules.minimumThreshold,
    });
  }
  if (!rules.allowedSuites.includes(header.suiteId)) {
    throw new SymmetraError('SUITE_FORBIDDEN', `policy forbids suite ${header.suiteId}`, {
      suite: header.suiteId,
    });
  }
  if (!rules.purposes.includes('*') && !rules.purposes.includes(header.purpose)) {
    throw new SymmetraError('PURPOSE_FORBIDDEN', 'policy does not allow keys for this purpose', {
      purpose: header.purpose,
    });
  }
}

/**
 * PAIR-3, PAIR-4: whether two devices may hold a key together now; checked at the request and again at delivery.
 * @throws DEVICE_REVOKED, PEER_UNKNOWN, PEER_REVOKED, STAGE_TOO_EARLY
 */
export function checkStanding(
  rules: BrokerRules,
  initiator: DeviceStanding,
  responder: DeviceStanding | undefined,
): void {
  if (initiator.revoked) throw new SymmetraError('DEVICE_REVOKED', 'the device is revoked');
  if (responder === undefined) {
    throw new SymmetraError('PEER_UNKNOWN', 'the peer is not enrolled at this node');
  }
  if (responder.revoked) throw new SymmetraError('PEER_REVOKED', 'the peer is revoked');
  if (!rules.stages.includes(initiator.stage) || !rules.stages.includes(responder.stage)) {
    throw new SymmetraError('STAGE_TOO_EARLY', 'a device is not yet at a stage in which policy allows keys');
  }
}

function grant(asked: Limits, maximum: Limits): Limits {
  const uses = [asked.uses, maximum.uses].filter((count) => count > 0);
  return {
    lifetimeSeconds: Math.min(asked.lifetimeSeconds, maximum.lifetimeSeconds),
    uses: uses.length === 0 ? 0 : Math.min(...uses),
  };
}

function sameHash(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === undefined || b === undefined ? a === b : equalConstantTime(a, b);
}
