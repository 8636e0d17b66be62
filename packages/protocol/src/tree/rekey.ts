import { wipe } from '@symmetra/crypto';
import { TREE_KEY_LENGTH, sealUnder } from './key.js';
import type { SealScope, TreeScope, TreeSeal } from './key.js';
import { replacementOf } from './replacement.js';
import type { TreeChange } from './replacement.js';
import { parentOf, parentsOf } from './shape.js';
import type { TreePosition } from './shape.js';
import { StoredTree } from './stored-tree.js';
import type { ReadPage } from './stored-tree.js';

/** GRP-7: a broadcast has at most 60,000 bytes, and a seal takes 53 of them. */
export const MAX_SEALS = 1132;
/** Fresh keys are drawn in parts of 32 KiB. */
const KEYS_AT_ONCE = 1024;

/** Gives fresh random bytes. */
type Random = (length: number) => Uint8Array;

/** What a tree needs when an epoch comes into force. `step` is the new one. */
export interface Rekeying extends TreeChange, SealScope {
  /** The node's share of S, 32 bytes. */
  readonly share: Uint8Array;
  /** Gives 32 bytes for every fresh key, from below, each level ascending. */
  readonly random: Random;
}

/** GRP-7: what the members that stay need. */
export interface TreeUpdate {
  /** In the order in which a member opens them: those of lower children first. */
  readonly seals: readonly TreeSeal[];
  /** 48 bytes. */
  readonly sealedShare: Uint8Array;
}

/** A tree that took a step. */
export interface Rekeyed {
  /** The rows to store; null for those to remove. They hold keys. */
  readonly pages: ReadonlyMap<string, Uint8Array | null>;
  /** Undefined when it needs more than {@link MAX_SEALS} seals: everybody gets a welcome then (GRP-7). */
  readonly update: TreeUpdate | undefined;
}

/** What the first tree of a group, or one that is made anew, is made of. */
export interface Planting {
  /** The occupied places, ascending; at least one. */
  readonly places: readonly number[];
  readonly height: number;
  readonly step: number;
  /** As in {@link Rekeying}. */
  readonly random: Random;
}

/**
 * GRP-6, GRP-7: brings a tree to a step: changed places get fresh keys on their paths, sealed for the members that stay.
 * Keys that the step does not need lag behind, until they are needed or {@link advancePage} takes them on.
 * @param read knows the pages that {@link pagesOf} names.
 * @throws BAD_ENCODING when a page is damaged or a key is not there.
 */
export function rekey(scope: TreeScope, read: ReadPage, rekeying: Rekeying): Rekeyed {
  const tree = new StoredTree(scope, read, rekeying.step);
  try {
    return rekeyed(scope, tree, rekeying);
  } finally {
    tree.wipe();
  }
}

/** @throws BAD_ENCODING */
function rekeyed(scope: TreeScope, tree: StoredTree, rekeying: Rekeying): Rekeyed {
  const { fresh, dropped, sealing } = replacementOf(rekeying, (position) => tree.has(position));
  for (const position of dropped) tree.drop(position);
  putFreshKeys(tree, fresh, rekeying.random);
  const root = { level: rekeying.height, index: 0 };
  const rootKey = tree.key(root);
  const seal = (child: TreePosition): TreeSeal => ({
    ...child,
    sealed: sealUnder(scope, rekeying, 'groupTreeSeal', child, tree.key(child), tree.key(parentOf(child))),
  });
  const sealShare = (): Uint8Array =>
    sealUnder(scope, rekeying, 'groupShareSeal', root, rootKey, rekeying.share);
  const update =
    sealing.length > MAX_SEALS ? undefined : { seals: sealing.map(seal), sealedShare: sealShare() };
  return { pages: tree.rows(), update };
}

/**
 * GRP-6: a tree of fresh keys, sealed to nobody: that of a node's first epoch of a group, or in place of one that was lost.
 * @returns the rows to store.
 */
export function plantTree(scope: TreeScope, planting: Planting): ReadonlyMap<string, Uint8Array | null> {
  const tree = new StoredTree(scope, () => undefined, planting.step);
  let indices = planting.places;
  const positions = Array.from({ length: planting.height + 1 }, (_, level) => {
    if (level > 0) indices = parentsOf(indices);
    return indices.map((index) => ({ level, index }));
  });
  putFreshKeys(tree, positions.flat(), planting.random);
  const pages = tree.rows();
  tree.wipe();
  return pages;
}

/** The keys are drawn from below, each level ascending. */
function putFreshKeys(tree: StoredTree, positions: readonly TreePosition[], random: Random): void {
  for (let first = 0; first < positions.length; first += KEYS_AT_ONCE) {
    const part = positions.slice(first, first + KEYS_AT_ONCE);
    const keys = random(part.length * TREE_KEY_LENGTH);
    for (const [i, position] of part.entries()) {
      tree.put(position, keys.subarray(i * TREE_KEY_LENGTH, (i + 1) * TREE_KEY_LENGTH));
    }
    wipe(keys);
  }
}
