import { Secret, SymmetraError, equalConstantTime, split } from '@symmetra/crypto';
import type { ProtocolContext, Step } from '../context.js';
import { deviceIdOf } from '../enrolment/token.js';
import type { NodeTokenSecret } from '../enrolment/token.js';
import type { Share } from '../pairwise/transcript.js';
import { encodeIntroductionHeader, introductionCommitment, introductionHash } from './header.js';
import type { IntroductionHeader } from './header.js';
import { introducedToken } from './token.js';

/*
 * device:    introducing --k receipts--> the enrolment with t_new (ENR-2)
 *                ^  |
 *                +--+   the identical requests, until the enrolment is over
 */

/** The device asks nodes at which it is enrolled to introduce it to another one. */
export interface Introducing {
  /** The header's canonical bytes, as they are sent and sent again. */
  readonly header: Uint8Array;
  readonly nodeId: string;
  readonly nodeKeyHash: Uint8Array;
  readonly descriptorVersion: number;
  readonly nodes: readonly string[];
  readonly threshold: number;
  /** In the order of the nodes. */
  readonly shares: readonly Share[];
  /** t_new. */
  readonly token: NodeTokenSecret;
}

/** What a device knows before it asks for an introduction. */
export type IntroductionStart = Omit<IntroductionHeader, 'deviceId' | 'commitments'>;

/** Fresh random bytes: S, 32, and the coefficients, 32 for each unit of the threshold but one. */
export interface IntroductionRandom {
  readonly secret: Uint8Array;
  readonly coefficients: Uint8Array;
}

/** What one node is asked. `share` is the state's own: encode it, do not keep it. */
export interface IntroductionRequest {
  readonly nodeId: string;
  readonly header: Uint8Array;
  readonly share: Uint8Array;
}

/**
 * ENR-9: splits a fresh secret among the nodes that shall introduce the device. Persist the state, then send its
 * requests. Both random inputs are erased. @throws BAD_THRESHOLD
 */
export function startIntroduction(
  context: ProtocolContext,
  start: IntroductionStart,
  random: IntroductionRandom,
): Step<Introducing, undefined> {
  const { nodes, threshold, nodeId, nodeKeyHash, descriptorVersion } = start;
  const deviceId = deviceIdOf(start.tokenId, start.enrolmentNonce);
  const shares = split(random.secret, threshold, nodes.length, random.coefficients);
  const commitments = shares.map((share, i) => introductionCommitment({ deviceId, nodeId }, i + 1, share));
  const header: IntroductionHeader = { ...start, deviceId, commitments };
  const bytes = encodeIntroductionHeader(context, header);
  const token = introducedToken(context, header, introductionHash(bytes), random.secret);
  random.secret.fill(0);
  random.coefficients.fill(0);
  const state: Introducing = {
    header: bytes,
    nodeId,
    nodeKeyHash,
    descriptorVersion,
    nodes,
    threshold,
    shares: shares.map((share) => Secret.of('Share', share)),
    token,
  };
  return { state, output: undefined, consumed: [] };
}

/** What each node is sent, and sent again. */
export function introductionRequests({ header, nodes, shares }: Introducing): readonly IntroductionRequest[] {
  return nodes.map((nodeId, i) => ({ nodeId, header, share: (shares[i] as Share).bytes }));
}

/** ENR-10: whether a node says that it passed this introduction on. @throws HEADER_MISMATCH */
export function checkIntroductionReceipt({ header }: Introducing, headerHash: Uint8Array): void {
  if (equalConstantTime(introductionHash(header), headerHash)) return;
  throw new SymmetraError('HEADER_MISMATCH', 'the node passed another introduction on');
}

/** Everything in an introduction that must be erased when it is over. */
export function introductionSecrets({ shares, token }: Introducing): readonly { wipe(): void }[] {
  return [...shares, token];
}
