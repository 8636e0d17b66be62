import { EncodingError, Secret, SymmetraError, equalConstantTime } from '@symmetra/crypto';
import type { ProtocolContext } from '../context.js';
import { SHARE_LENGTH } from '../pairwise/header.js';
import { checkHeaderFloors } from '../pairwise/responder.js';
import type { HeaderFloors } from '../pairwise/responder.js';
import type { Share } from '../pairwise/transcript.js';
import { TREE_KEY_LENGTH } from '../tree/key.js';
import { dealHash, decodeGroupHeader, groupEpochId, groupShareCommitment } from './header.js';
import type { GroupHeader } from './header.js';

/** GRP-8: what a node gives one member in its session, as it came out of the event. */
export interface WelcomeFields {
  /** Canonical bytes. */
  readonly header: Uint8Array;
  readonly tag: Uint8Array;
  /** 32 bytes; empty when the node does not keep it any more. */
  readonly share: Uint8Array;
  readonly place: number;
  /** Step of the node's tree. */
  readonly step: number;
  /** The keys of the path, from the leaf to the root, 32 bytes each. */
  readonly pathKeys: Uint8Array;
}

/** What a node said of an epoch: its header and tag, and what names them. */
export interface DealtHeader {
  readonly header: GroupHeader;
  /** As the dealer sent it. */
  readonly headerBytes: Uint8Array;
  readonly tag: Uint8Array;
  readonly epochId: Uint8Array;
  readonly dealHash: Uint8Array;
}

/** GRP-9: the keys of this member's path in the tree of one node. */
export interface NodePath {
  readonly nodeId: string;
  /** The epoch that they belong to, by number and id. */
  readonly epoch: number;
  readonly epochId: Uint8Array;
  readonly place: number;
  readonly height: number;
  readonly step: number;
  /** From the leaf to the root, 32 bytes each. */
  readonly keys: Secret<'TreePath'>;
}

/** A welcome that passed the checks that it can pass by itself. */
export interface ReadWelcome {
  readonly dealt: DealtHeader;
  readonly path: NodePath;
  /** Undefined when the node does not keep it any more. */
  readonly share: Share | undefined;
}

/**
 * GRP-9: a header with the names of its epoch, once it is not below the member's floors.
 * @throws NOT_IN_NODE_SET, BELOW_FLOOR, SUITE_FORBIDDEN, BAD_HEADER
 */
export function checkDealt(
  context: ProtocolContext,
  floors: HeaderFloors,
  nodeId: string,
  said: { readonly header: GroupHeader; readonly headerBytes: Uint8Array; readonly tag: Uint8Array },
): DealtHeader {
  const { header, headerBytes, tag } = said;
  if (!header.nodes.includes(nodeId)) {
    throw new SymmetraError('NOT_IN_NODE_SET', 'the node is not in the node set of the header', {
      node: nodeId,
    });
  }
  checkHeaderFloors(floors, header);
  const suite = context.suites.get(header.suiteId);
  if (tag.length !== suite.hashLength) {
    throw new SymmetraError('BAD_HEADER', "the header's tag has a length that its suite does not make");
  }
  const names = {
    epochId: groupEpochId(suite, headerBytes),
    dealHash: dealHash(suite, headerBytes, tag),
  };
  return { header, headerBytes, tag, ...names };
}

/** GRP-9: the share fits the commitment of its node. @throws SHARE_MISMATCH */
export function checkShare(
  context: ProtocolContext,
  header: GroupHeader,
  nodeId: string,
  share: Uint8Array,
): Share {
  const place = header.nodes.indexOf(nodeId) + 1;
  const suite = context.suites.get(header.suiteId);
  const commitment = header.commitments[place] as Uint8Array;
  if (
    share.length !== SHARE_LENGTH ||
    !equalConstantTime(commitment, groupShareCommitment(suite, header, place, share))
  ) {
    throw new SymmetraError('SHARE_MISMATCH', 'the share does not fit its commitment', { node: nodeId });
  }
  return Secret.of('Share', share);
}

/**
 * GRP-8, GRP-9: checks a welcome by itself; takes ownership of its share and its keys.
 * @param nodeId the node in whose session it came.
 * @throws BAD_ENCODING, WRONG_VERSION, WRONG_NETWORK, SUITE_UNKNOWN, BAD_HEADER, NOT_IN_NODE_SET, BELOW_FLOOR,
 *   SUITE_FORBIDDEN, SHARE_MISMATCH
 */
export function readWelcome(
  context: ProtocolContext,
  floors: HeaderFloors,
  nodeId: string,
  fields: WelcomeFields,
): ReadWelcome {
  const header = decodeGroupHeader(context, fields.header);
  const dealt = checkDealt(context, floors, nodeId, { header, headerBytes: fields.header, tag: fields.tag });
  const { place, step, pathKeys } = fields;
  const { height } = header;
  if (place >= 2 ** height || pathKeys.length !== (height + 1) * TREE_KEY_LENGTH) {
    throw new EncodingError('the path of a welcome does not fit its tree', { place, height });
  }
  const share = fields.share.length > 0 ? checkShare(context, header, nodeId, fields.share) : undefined;
  const keys = Secret.of('TreePath', pathKeys);
  const path = { nodeId, epoch: header.epoch, epochId: dealt.epochId, place, height, step, keys };
  return { dealt, share, path };
}
