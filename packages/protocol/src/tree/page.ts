import { EncodingError, wipe } from '@symmetra/crypto';
import { TREE_KEY_LENGTH } from './key.js';
import type { SteppedKey } from './key.js';
import type { TreePosition } from './shape.js';

/*
 * How a node stores its tree: in pages of four levels, 8 + 4 + 2 + 1 positions. Tier t covers the levels from 4t on; the
 * page (tier, index) is the part of the tree from (4t + 3, index) down. Every key says of which step it is, so that an
 * epoch brings to its step only those that it needs (GRP-6).
 *
 *   page = u16 of presence, bit s for slot s || 15 slots of (u64 step || 32 bytes), zero where there is no key
 */
const LEVELS = 4;
const SLOTS = 2 ** LEVELS - 1;
const PRESENCE_LENGTH = 2;
const STEP_LENGTH = 8;
const SLOT_LENGTH = STEP_LENGTH + TREE_KEY_LENGTH;
const PAGE_LENGTH = PRESENCE_LENGTH + SLOTS * SLOT_LENGTH;
const NAME = /^(\d)-([0-9a-f]{3})$/;
const U32 = 2 ** 32;
const U32_LENGTH = 4;

/** What of a path is in one page. */
export interface PagePath {
  readonly name: string;
  /** From below. */
  readonly positions: readonly TreePosition[];
}

/** Some keys of a tree, in the bytes of a row. */
export class Page {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  private constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  static empty(): Page {
    return new Page(new Uint8Array(PAGE_LENGTH));
  }

  /** A view of a stored value, which is not copied. @throws BAD_ENCODING */
  static of(value: Uint8Array): Page {
    const page = new Page(value);
    if (value.length !== PAGE_LENGTH || page.#presence === 0 || page.#presence >= 2 ** SLOTS) {
      throw new EncodingError('a stored page of a tree is damaged', { length: value.length });
    }
    return page;
  }

  get #presence(): number {
    return this.#view.getUint16(0);
  }

  set #presence(bits: number) {
    this.#view.setUint16(0, bits);
  }

  /** The key of a position, a view of the page; undefined when there is none. */
  get(position: TreePosition): SteppedKey | undefined {
    const slot = slotOf(position);
    if ((this.#presence & (1 << slot)) === 0) return undefined;
    const at = offsetOf(slot);
    const step = this.#view.getUint32(at) * U32 + this.#view.getUint32(at + U32_LENGTH);
    return { step, key: this.#bytes.subarray(at + STEP_LENGTH, at + SLOT_LENGTH) };
  }

  set(position: TreePosition, step: number, key: Uint8Array): void {
    const slot = slotOf(position);
    const at = offsetOf(slot);
    this.#presence |= 1 << slot;
    this.#view.setUint32(at, Math.floor(step / U32));
    this.#view.setUint32(at + U32_LENGTH, step % U32);
    this.#bytes.set(key, at + STEP_LENGTH);
  }

  delete(position: TreePosition): void {
    const slot = slotOf(position);
    const at = offsetOf(slot);
    this.#presence &= ~(1 << slot);
    this.#bytes.fill(0, at, at + SLOT_LENGTH);
  }

  /** What is to be stored: null when the page holds no key any more. */
  value(): Uint8Array | null {
    return this.#presence === 0 ? null : this.#bytes.slice();
  }

  wipe(): void {
    wipe(this.#bytes);
  }
}

/** The parts of a path to the root that are in one page each, from below. */
export function pagesAbove(height: number, place: number): readonly PagePath[] {
  const tiers = Math.floor(height / LEVELS) + 1;
  return Array.from({ length: tiers }, (_, tier) => {
    const level = tier * LEVELS;
    const top = Math.min(level + LEVELS - 1, height);
    const positions: TreePosition[] = [];
    for (let at = level; at <= top; at++) positions.push({ level: at, index: place >>> at });
    return { name: pageOf({ level, index: place >>> level }), positions };
  });
}

/** The name of the page that a position is in: `<tier>-<index>`, hexadecimal of fixed width. */
export function pageOf({ level, index }: TreePosition): string {
  const tier = Math.floor(level / LEVELS);
  return `${tier}-${(index >>> (LEVELS - 1 - (level % LEVELS))).toString(16).padStart(3, '0')}`;
}

/** The positions of a page, from below. @throws BAD_ENCODING for what is no name of a page */
export function positionsOf(name: string): TreePosition[] {
  const [, tier, index] = NAME.exec(name) ?? [];
  if (tier === undefined || index === undefined) {
    throw new EncodingError('no page of a tree has this name', { name });
  }
  const positions: TreePosition[] = [];
  for (let above = LEVELS - 1; above >= 0; above--) {
    const width = 2 ** above;
    const first = Number.parseInt(index, 16) * width;
    for (let i = 0; i < width; i++) {
      positions.push({ level: (Number(tier) + 1) * LEVELS - 1 - above, index: first + i });
    }
  }
  return positions;
}

function offsetOf(slot: number): number {
  return PRESENCE_LENGTH + slot * SLOT_LENGTH;
}

/** The slots of a level stand behind those of the levels below it. */
function slotOf({ level, index }: TreePosition): number {
  const width = 2 ** (LEVELS - 1 - (level % LEVELS));
  return SLOTS + 1 - 2 * width + (index % width);
}
