/** GRP-1: the highest tree that a group may have. */
export const MAX_HEIGHT = 14;
/** GRP-1: places of the highest tree, and so the most members of a group. */
export const MAX_MEMBERS = 2 ** MAX_HEIGHT;

/** A node of the tree: level 0 holds the leaves; (level, index) stands above the places from index * 2^level on. */
export interface TreePosition {
  readonly level: number;
  readonly index: number;
}

/** GRP-1: the least h with every place up to `highest` below 2^h; -1 when nobody stands anywhere. */
export function heightAbove(highest: number): number {
  return highest < 1 ? 0 : 32 - Math.clz32(highest);
}

/** The indices above some ascending indices of the level below, each once, ascending. */
export function parentsOf(indices: readonly number[]): number[] {
  const parents: number[] = [];
  for (const index of indices) {
    const parent = index >>> 1;
    if (parent !== parents.at(-1)) parents.push(parent);
  }
  return parents;
}

/** The positions above a place, from the leaf to the root of a tree of this height. */
export function pathOf(height: number, place: number): TreePosition[] {
  return Array.from({ length: height + 1 }, (_, level) => ({ level, index: place >>> level }));
}

/** The position above one. */
export function parentOf({ level, index }: TreePosition): TreePosition {
  return { level: level + 1, index: index >>> 1 };
}

/** The two positions below one. */
export function childrenOf({ level, index }: TreePosition): readonly [TreePosition, TreePosition] {
  return [
    { level: level - 1, index: 2 * index },
    { level: level - 1, index: 2 * index + 1 },
  ];
}
