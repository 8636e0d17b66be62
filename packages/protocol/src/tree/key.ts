import { concat, extractExpand, openOnce, sealOnce, utf8, wipe } from '@symmetra/crypto';
import type { KdfContext, Suite } from '@symmetra/crypto';
import { u64 } from '../context.js';
import type { TreePosition } from './shape.js';

/** Bytes of a tree key, and of a share. */
export const TREE_KEY_LENGTH = 32;
/** Bytes of a tree key or a share that is sealed (GRP-7). */
export const TREE_SEAL_LENGTH = TREE_KEY_LENGTH + 16;

/** What every derivation of one tree binds (GRP-6). */
export interface TreeScope {
  readonly suite: Suite;
  /** 16 bytes. */
  readonly networkId: Uint8Array;
  /** 16 bytes. */
  readonly groupId: Uint8Array;
  /** The node whose tree it is. */
  readonly nodeId: string;
}

/** A tree key, and the step that it is of. */
export interface SteppedKey {
  readonly step: number;
  /** 32 bytes. */
  readonly key: Uint8Array;
}

/** What all that is sealed in one step has in common. */
export interface SealScope {
  /** Of the tree. */
  readonly step: number;
  /** 32 bytes, fresh. */
  readonly nonce: Uint8Array;
  /** `hh`. */
  readonly epochId: Uint8Array;
}

/** GRP-7: the new key of the parent of (level, index), sealed under the key of (level, index). */
export interface TreeSeal extends TreePosition {
  /** 48 bytes. */
  readonly sealed: Uint8Array;
}

/** What a tree key protects: the new key of the position's parent, or, at the root, the node's share. */
type Purpose = 'groupTreeSeal' | 'groupShareSeal';

/** GRP-6, step 1: a key as it is in a later step: a fresh array, never the one that was given. */
export function keyAtStep(
  scope: TreeScope,
  position: TreePosition,
  from: SteppedKey,
  to: number,
): Uint8Array {
  const transcriptHash = positionBytes(position);
  let current: Uint8Array = from.key.slice();
  for (let step = from.step + 1; step <= to; step++) {
    const context = treeContext(scope, step, transcriptHash);
    const next = extractExpand(scope.suite, [current], 'groupTreeNext', context, TREE_KEY_LENGTH);
    wipe(current);
    current = next;
  }
  return current;
}

/** GRP-7: seals under K of a position, of whose key in this step K is made. */
export function sealUnder(
  scope: TreeScope,
  seal: SealScope,
  purpose: Purpose,
  position: TreePosition,
  key: Uint8Array,
  plaintext: Uint8Array,
): Uint8Array {
  const context = treeContext(scope, seal.step, sealedThing(purpose, position, seal));
  const protecting = protectingKey(scope, seal.step, position, key);
  const { suite } = scope;
  const sealed = sealOnce(suite, protecting, purpose, context, seal.nonce, seal.epochId, plaintext);
  wipe(protecting);
  return sealed;
}

/** GRP-9: opens what {@link sealUnder} sealed. @throws AUTHENTICATION_FAILED */
export function openUnder(
  scope: TreeScope,
  seal: SealScope,
  purpose: Purpose,
  position: TreePosition,
  key: Uint8Array,
  sealed: Uint8Array,
): Uint8Array {
  const context = treeContext(scope, seal.step, sealedThing(purpose, position, seal));
  const protecting = protectingKey(scope, seal.step, position, key);
  try {
    return openOnce(scope.suite, protecting, purpose, context, seal.nonce, seal.epochId, sealed);
  } finally {
    wipe(protecting);
  }
}

/** GRP-6: K_v = Derive([k_v], "groupTreeKey", ...). */
function protectingKey(scope: TreeScope, step: number, position: TreePosition, key: Uint8Array): Uint8Array {
  const context = treeContext(scope, step, positionBytes(position));
  return extractExpand(scope.suite, [key], 'groupTreeKey', context);
}

function sealedThing(purpose: Purpose, position: TreePosition, seal: SealScope): Uint8Array {
  return purpose === 'groupShareSeal' ? seal.epochId : concat(positionBytes(position), seal.epochId);
}

/** Q_T(i, t; th) of GRP-6. */
function treeContext(scope: TreeScope, step: number, transcriptHash: Uint8Array): KdfContext {
  return {
    networkId: scope.networkId,
    initiator: scope.groupId,
    responder: utf8(scope.nodeId),
    epoch: u64(step),
    transcriptHash,
  };
}

function positionBytes({ level, index }: TreePosition): Uint8Array {
  return Uint8Array.of(level, index >>> 24, index >>> 16, index >>> 8, index);
}
