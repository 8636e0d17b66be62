import { pageOf } from './page.js';
import type { RosterChanges } from './roster.js';
import { childrenOf, parentsOf } from './shape.js';
import type { TreePosition } from './shape.js';

/** A change of the roster, as the tree sees it. */
export interface TreeChange {
  /** Of the tree before. */
  readonly heightBefore: number;
  readonly changes: RosterChanges;
  /** Of the tree afterwards. */
  readonly height: number;
}

/** GRP-6, GRP-7: what a change does to the keys of a tree. Each list goes from below, and each level ascends. */
export interface Replacement {
  /** Positions that get a fresh key. */
  readonly fresh: readonly TreePosition[];
  /** Positions that lose their key. */
  readonly dropped: readonly TreePosition[];
  /** Children of fresh positions below which a member stays: the fresh keys are sealed under theirs. */
  readonly sealing: readonly TreePosition[];
}

/** What a change means for a part of the tree. */
interface Part {
  /** One of its places was vacated. */
  readonly vacated: boolean;
  /** A member is in it that was one before. */
  readonly stays: boolean;
  /** A member is in it. */
  readonly occupied: boolean;
}

/** GRP-6: the names of the pages that a change reads: O(log m) for each place that changes. */
export function pagesOf(change: TreeChange): readonly string[] {
  const names = new Set([pageOf({ level: change.height, index: 0 })]);
  for (const position of affectedBy(change).flat()) {
    names.add(pageOf(position));
    if (position.level > 0) childrenOf(position).forEach((child) => names.add(pageOf(child)));
  }
  return [...names];
}

/** @param hasKey whether a position had a key before the change. */
export function replacementOf(change: TreeChange, hasKey: (position: TreePosition) => boolean): Replacement {
  const replacement = { fresh: [], dropped: [], sealing: [] } as Record<keyof Replacement, TreePosition[]>;
  const known: Map<number, Part>[] = [];
  const leaf = leafPart(change.changes);
  const partAt = (position: TreePosition): Part =>
    known[position.level]?.get(position.index) ?? untouched(hasKey(position));

  for (const [level, positions] of affectedBy(change).entries()) {
    const parts = new Map<number, Part>();
    for (const position of positions) {
      const had = hasKey(position);
      const children = level === 0 ? [] : childrenOf(position);
      const part = level === 0 ? leaf(position.index, had) : joined(children.map(partAt));
      parts.set(position.index, part);
      const keeps = part.occupied && level <= change.height;
      if (!keeps && had) replacement.dropped.push(position);
      if (!keeps || (had && !part.vacated)) continue;
      replacement.fresh.push(position);
      replacement.sealing.push(...children.filter((child) => partAt(child).stays));
    }
    known.push(parts);
  }
  return replacement;
}

/**
 * The positions above a place that changes, and those at the top that a tree wins or loses when its height changes; by
 * level, ascending.
 */
function affectedBy({ heightBefore, changes, height }: TreeChange): TreePosition[][] {
  const places = new Set([...changes.vacated, ...changes.taken.map(({ place }) => place)]);
  let indices = [...places].toSorted((a, b) => a - b);
  return Array.from({ length: Math.max(heightBefore, height) + 1 }, (_, level) => {
    if (level > 0) indices = parentsOf(indices);
    if (level > Math.min(heightBefore, height) && indices[0] !== 0) indices.unshift(0);
    return indices.map((index) => ({ level, index }));
  });
}

function leafPart({ vacated, taken }: RosterChanges): (place: number, had: boolean) => Part {
  const left = new Set(vacated);
  const arrived = new Set(taken.map(({ place }) => place));
  return (place, had) => {
    const stays = had && !left.has(place);
    return { vacated: left.has(place), stays, occupied: stays || arrived.has(place) };
  };
}

function untouched(hasKey: boolean): Part {
  return { vacated: false, stays: hasKey, occupied: hasKey };
}

function joined(parts: readonly Part[]): Part {
  return {
    vacated: parts.some((part) => part.vacated),
    stays: parts.some((part) => part.stays),
    occupied: parts.some((part) => part.occupied),
  };
}
