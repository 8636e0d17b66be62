import { Writer, labelBytes, sha256 } from '@symmetra/crypto';
import { DEVICE_ID_LENGTH } from '../context.js';
import { MAX_HEIGHT, parentsOf } from './shape.js';

const HASH_LENGTH = 32;
/** Stands where nobody does. */
const NOBODY = new Uint8Array(HASH_LENGTH);

/** New hashes of some nodes of one level, by ascending index. */
interface ChangedLevel {
  readonly indices: readonly number[];
  /** 32 bytes for each. */
  readonly hashes: Uint8Array;
}

/** By level, from the leaves up. */
export type ChangedHashes = readonly ChangedLevel[];

/**
 * GRP-2: the hash tree over the places, always up to the highest level, so that the root of every height is at hand.
 * Hashes lie in one array for each level: tens of thousands of small ones would keep the garbage collector busy.
 */
export class RosterHashes {
  readonly #levels: Uint8Array[] = Array.from({ length: MAX_HEIGHT + 1 }, () => new Uint8Array(HASH_LENGTH));
  readonly #leaf = hashInput(0, DEVICE_ID_LENGTH);
  readonly #node = hashInput(1, 2 * HASH_LENGTH);

  /**
   * What becomes of the tree when some places change; the tree itself stays. O(places * height) hashes.
   * @param places ascending.
   * @param deviceAt who stands at a place afterwards.
   */
  changed(places: readonly number[], deviceAt: (place: number) => Uint8Array | undefined): ChangedHashes {
    const leaves = new Uint8Array(places.length * HASH_LENGTH);
    for (const [i, place] of places.entries()) {
      const deviceId = deviceAt(place);
      if (deviceId !== undefined) leaves.set(this.#leaf(deviceId), i * HASH_LENGTH);
    }
    const levels: ChangedLevel[] = [{ indices: places, hashes: leaves }];
    for (let level = 1; level <= MAX_HEIGHT; level++) {
      levels.push(this.#above(level - 1, levels[level - 1] as ChangedLevel));
    }
    return levels;
  }

  /** Makes {@link RosterHashes.changed} so. */
  adopt(changed: ChangedHashes): void {
    for (const [level, { indices, hashes }] of changed.entries()) {
      const own = this.#levelWith(level, (indices.at(-1) ?? 0) + 1);
      for (const [i, index] of indices.entries()) own.set(hashAt(hashes, i), index * HASH_LENGTH);
    }
  }

  /** The root of the tree of a height; with changes, as it will be. */
  root(height: number, changed?: ChangedHashes): Uint8Array {
    const level = changed?.[height];
    return level?.indices[0] === 0 ? hashAt(level.hashes, 0).slice() : this.#stored(height, 0).slice();
  }

  #above(level: number, below: ChangedLevel): ChangedLevel {
    const indices = parentsOf(below.indices);
    const hashes = new Uint8Array(indices.length * HASH_LENGTH);
    let next = 0;
    const child = (index: number): Uint8Array =>
      below.indices[next] === index ? hashAt(below.hashes, next++) : this.#stored(level, index);
    for (const [i, index] of indices.entries()) {
      const left = child(2 * index);
      const right = child(2 * index + 1);
      if (!isNobody(left) || !isNobody(right)) hashes.set(this.#node(left, right), i * HASH_LENGTH);
    }
    return { indices, hashes };
  }

  #stored(level: number, index: number): Uint8Array {
    const hash = hashAt(this.#levels[level] as Uint8Array, index);
    return hash.length === 0 ? NOBODY : hash;
  }

  /** A level with room for this many nodes. */
  #levelWith(level: number, count: number): Uint8Array {
    const own = this.#levels[level] as Uint8Array;
    if (own.length >= count * HASH_LENGTH) return own;
    const grown = new Uint8Array(HASH_LENGTH * 2 ** Math.ceil(Math.log2(count)));
    grown.set(own);
    this.#levels[level] = grown;
    return grown;
  }
}

/** DomainHash("groupRoster", u8(kind) || parts), in a buffer that is used again and again. */
function hashInput(kind: number, length: number): (...parts: readonly Uint8Array[]) => Uint8Array {
  const head = new Writer().bytes(labelBytes('groupRoster')).u8(kind).finish();
  const input = new Uint8Array(head.length + length);
  input.set(head);
  return (...parts) => {
    let at = head.length;
    for (const part of parts) {
      input.set(part, at);
      at += part.length;
    }
    return sha256(input);
  };
}

function hashAt(hashes: Uint8Array, i: number): Uint8Array {
  return hashes.subarray(i * HASH_LENGTH, (i + 1) * HASH_LENGTH);
}

function isNobody(hash: Uint8Array): boolean {
  return hash.every((byte) => byte === 0);
}
