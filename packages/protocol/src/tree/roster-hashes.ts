import { Writer, labelBytes } from '@symmetra/crypto';
import { DEVICE_ID_LENGTH, domainHash } from '../context.js';
import { MAX_HEIGHT, parentsOf } from './shape.js';

const HASH_LENGTH = 32;
const LABEL = labelBytes('groupRoster');
/** Stands where nobody does. */
const NOBODY = new Uint8Array(HASH_LENGTH);

/** Nodes of the hash tree by level and index; undefined where nobody stands below. */
export type ChangedHashes = readonly ReadonlyMap<number, Uint8Array | undefined>[];

/** GRP-2: the leaf of a device. */
export function rosterLeaf(deviceId: Uint8Array): Uint8Array {
  return domainHash(LABEL, new Writer(1 + DEVICE_ID_LENGTH).u8(0).raw(deviceId).finish());
}

function parentHash(left: Uint8Array | undefined, right: Uint8Array | undefined): Uint8Array | undefined {
  if (left === undefined && right === undefined) return undefined;
  const fields = new Writer(1 + 2 * HASH_LENGTH)
    .u8(1)
    .raw(left ?? NOBODY)
    .raw(right ?? NOBODY);
  return domainHash(LABEL, fields.finish());
}

/** GRP-2: the hash tree over the places, always up to the highest level, so that every root is at hand. */
export class RosterHashes {
  readonly #levels: readonly Map<number, Uint8Array>[] = Array.from(
    { length: MAX_HEIGHT + 1 },
    () => new Map(),
  );

  /** What becomes of the tree when some leaves change; the tree itself stays. O(leaves * height) hashes. */
  changed(leaves: ReadonlyMap<number, Uint8Array | undefined>): ChangedHashes {
    const levels = [leaves];
    let indices = [...leaves.keys()].toSorted((a, b) => a - b);
    for (let level = 1; level <= MAX_HEIGHT; level++) {
      const below = levels[level - 1] as ReadonlyMap<number, Uint8Array | undefined>;
      const child = (index: number): Uint8Array | undefined =>
        below.has(index) ? below.get(index) : this.#levels[level - 1]?.get(index);
      indices = parentsOf(indices);
      levels.push(new Map(indices.map((at) => [at, parentHash(child(2 * at), child(2 * at + 1))])));
    }
    return levels;
  }

  /** Makes {@link RosterHashes.changed} so. */
  adopt(changed: ChangedHashes): void {
    for (const [level, nodes] of changed.entries()) {
      const own = this.#levels[level] as Map<number, Uint8Array>;
      for (const [index, hash] of nodes) {
        if (hash === undefined) own.delete(index);
        else own.set(index, hash);
      }
    }
  }

  /** The root of a tree of this height, with changes that were not adopted. */
  root(height: number, changed: ChangedHashes = []): Uint8Array {
    const nodes = changed[height];
    const root = nodes?.has(0) === true ? nodes.get(0) : this.#levels[height]?.get(0);
    return (root ?? NOBODY).slice();
  }
}
