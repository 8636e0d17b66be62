import { SymmetraError, equalConstantTime, sha256, signatureKeygen, utf8 } from '@symmetra/crypto';
import { decodeBroadcast, readBroadcast, signBroadcast } from '@symmetra/protocol';
import type { Descriptor, EpochBroadcast, GroupDue, ProtocolContext } from '@symmetra/protocol';
import type { SignedBroadcast } from './group-wire.js';

/** How the nodes of a run sign what they tell all members, and how members check it. */
export interface BroadcastSigning {
  sign(nodeId: string, content: Uint8Array): SignedBroadcast;
  /** @throws BAD_ENCODING, BAD_SIGNATURE and what else decoding throws */
  read(context: ProtocolContext, signed: SignedBroadcast): EpochBroadcast | GroupDue;
}

const keys = new Map<string, ReturnType<typeof signatureKeygen>>();

function keysOf(nodeId: string): ReturnType<typeof signatureKeygen> {
  const known = keys.get(nodeId) ?? signatureKeygen(sha256(utf8(`signing ${nodeId}`)));
  keys.set(nodeId, known);
  return known;
}

/** ML-DSA-65, with the product's own reader: milliseconds for each signature and each check. */
export function realSigning(nodeIds: readonly string[]): BroadcastSigning {
  const nodes = nodeIds.map((id) => ({ id, signingKey: keysOf(id).publicKey }));
  const descriptor = { nodes } as unknown as Descriptor;
  return {
    sign: (nodeId, content) => ({ content, signature: signBroadcast(content, keysOf(nodeId).secretKey) }),
    read: (context, { content, signature }) => readBroadcast(context, descriptor, content, signature),
  };
}

/** A hash that everybody could make and nobody in the simulation forges, so that thousands of runs fit into seconds. */
export const cheapSigning: BroadcastSigning = {
  sign: (nodeId, content) => ({ content, signature: sha256(utf8(nodeId), content) }),
  read: (context, { content, signature }) => {
    const broadcast = decodeBroadcast(context, content);
    if (!equalConstantTime(signature, sha256(utf8(broadcast.nodeId), content))) {
      throw new SymmetraError('BAD_SIGNATURE', 'the broadcast does not verify', { node: broadcast.nodeId });
    }
    return broadcast;
  },
};
