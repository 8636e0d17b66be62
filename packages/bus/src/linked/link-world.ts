import { SymmetraError, toHex } from '@symmetra/crypto';
import { nodeKeyHash } from '@symmetra/protocol';
import type { FormerLink, LinkKeys, LinkPeer, LinkSelf } from '@symmetra/protocol';
import type { LinkedBusOptions } from './options.js';

/** The suite of links where nothing else was set. */
const DEFAULT_SUITE = 1;

/** Why a handshake came to nothing: nobody listens, or nobody completed it. */
export type FailureReason = 'absent' | 'silent';

/** What handshakes need of the bus that they belong to. */
export interface LinkWorld {
  readonly options: LinkedBusOptions;
  readonly self: LinkSelf;
  /** The link with that process that still serves: the one of that id, or the one that this end sends on. */
  former(nodeId: string, instance: string, linkId?: Uint8Array): FormerLink | undefined;
  /** A handshake is complete for this end. */
  complete(keys: LinkKeys, role: 'initiator' | 'responder', keyHash: Uint8Array): void;
  /** A handshake that this end began came to nothing. */
  failed(nodeId: string, instance: string | undefined, reason: FailureReason): void;
  /** Something was refused, and dropped. */
  refused(error: unknown, node?: string): void;
}

/** This process as an end of links. @throws SUITE_UNKNOWN */
export function selfOf(options: LinkedBusOptions): LinkSelf {
  const { wire, identity, suiteId = DEFAULT_SUITE } = options;
  const pair = identity.kemKeys.get(suiteId);
  if (pair === undefined || identity.id !== wire.address.node) {
    throw new SymmetraError(
      'NODE_DIFFERS',
      'the wire belongs to another node, or it has no key for the links',
      {
        node: identity.id,
        suite: suiteId,
      },
    );
  }
  return {
    nodeId: identity.id,
    instance: wire.address.instance,
    suiteId,
    publicKey: pair.publicKey,
    secretKey: pair.secretKey,
    keyHash: identity.keyHash,
  };
}

/** A node as the newest descriptor names it. @throws NODE_UNKNOWN, SUITE_UNKNOWN */
export function peerOf(options: LinkedBusOptions, nodeId: string): LinkPeer {
  const node = options.peers(nodeId);
  if (node === undefined) {
    throw new SymmetraError('NODE_UNKNOWN', 'the descriptor names no such node', { node: nodeId });
  }
  const { suiteId = DEFAULT_SUITE } = options;
  const key = node.kemKeys.find((one) => one.suiteId === suiteId);
  if (key === undefined) {
    throw new SymmetraError('SUITE_UNKNOWN', 'the node has no key for this suite', { suite: suiteId });
  }
  return {
    nodeId,
    publicKey: key.publicKey,
    keyHash: nodeKeyHash(node),
    psk: options.psk?.(nodeId),
  };
}

/** Whether two byte strings that are no secrets are the same. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return toHex(a) === toHex(b);
}
