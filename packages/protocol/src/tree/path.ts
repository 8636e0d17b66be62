import { AuthenticationError, wipe } from '@symmetra/crypto';
import { TREE_KEY_LENGTH, keyAtStep, openUnder } from './key.js';
import type { SealScope, TreeScope } from './key.js';
import type { TreeUpdate } from './rekey.js';
import { pathOf } from './shape.js';
import type { TreePosition } from './shape.js';

/** GRP-9: what a member holds of the tree of one node. */
export interface TreePath {
  readonly place: number;
  readonly height: number;
  readonly step: number;
  /** Those of its path, from the leaf to the root: (height + 1) * 32 bytes. */
  readonly keys: Uint8Array;
}

/** What a broadcast says of the tree of its node. `step` is the new one. */
export interface PathUpdate extends SealScope, TreeUpdate {
  readonly height: number;
}

/**
 * GRP-9: takes a member's path to the step of a broadcast. The path that is given stays as it is.
 * @returns the new path, and the node's share of S.
 * @throws AUTHENTICATION_FAILED when the update is not of the next step, or does not lead from this path to the share.
 */
export function advancePath(
  scope: TreeScope,
  path: TreePath,
  update: PathUpdate,
): { readonly path: TreePath; readonly share: Uint8Array } {
  if (update.step !== path.step + 1) {
    throw new AuthenticationError('the broadcast is not of the next step of the tree');
  }
  const { place } = path;
  const { height, step } = update;
  const keys = new Uint8Array((height + 1) * TREE_KEY_LENGTH);
  try {
    for (const position of pathOf(height, place)) {
      const key = nextKey(scope, path, update, keys, position);
      keys.set(key, position.level * TREE_KEY_LENGTH);
      wipe(key);
    }
    const root = { level: height, index: 0 };
    const share = openUnder(scope, update, 'groupShareSeal', root, keyOf(keys, height), update.sealedShare);
    return { path: { place, height, step, keys }, share };
  } catch (error) {
    wipe(keys);
    throw error;
  }
}

/** The key of one position: the one that was sealed for those below it, else the member's own, a step on. */
function nextKey(
  scope: TreeScope,
  path: TreePath,
  update: PathUpdate,
  keys: Uint8Array,
  position: TreePosition,
): Uint8Array {
  const child = { level: position.level - 1, index: path.place >>> (position.level - 1) };
  const seal = update.seals.find(({ level, index }) => level === child.level && index === child.index);
  if (seal !== undefined) {
    return openUnder(scope, update, 'groupTreeSeal', child, keyOf(keys, child.level), seal.sealed);
  }
  if (position.level > path.height) throw new AuthenticationError('the broadcast does not lead to the root');
  const own = { step: path.step, key: keyOf(path.keys, position.level) };
  return keyAtStep(scope, position, own, update.step);
}

function keyOf(keys: Uint8Array, level: number): Uint8Array {
  return keys.subarray(level * TREE_KEY_LENGTH, (level + 1) * TREE_KEY_LENGTH);
}
