import { EncodingError, wipe } from '@symmetra/crypto';
import { TREE_KEY_LENGTH, keyAtStep } from './key.js';
import type { SteppedKey, TreeScope } from './key.js';
import { Page, pageOf, pagesAbove, positionsOf } from './page.js';
import type { TreePosition } from './shape.js';

/** Gives the stored value of a page, undefined when there is no such row. What it gives is lent and not changed. */
export type ReadPage = (name: string) => Uint8Array | undefined;

/** The pages of a tree that one change reads and writes. */
export class StoredTree {
  readonly #scope: TreeScope;
  readonly #read: ReadPage;
  readonly #step: number;
  readonly #pages = new Map<string, Page>();
  readonly #changed = new Set<string>();

  /** @param step the one that the change leads to. */
  constructor(scope: TreeScope, read: ReadPage, step: number) {
    this.#scope = scope;
    this.#read = read;
    this.#step = step;
  }

  has(position: TreePosition): boolean {
    return this.#page(pageOf(position)).get(position) !== undefined;
  }

  /** The key of a position in this step: a view of its page, where it overwrote that of a former step. @throws BAD_ENCODING */
  key(position: TreePosition): Uint8Array {
    const stored = storedKey(this.#page(pageOf(position)), position, this.#step);
    if (stored.step < this.#step) {
      const key = keyAtStep(this.#scope, position, stored, this.#step);
      this.put(position, key);
      wipe(key);
    }
    return stored.key;
  }

  put(position: TreePosition, key: Uint8Array): void {
    this.#changing(position).set(position, this.#step, key);
  }

  drop(position: TreePosition): void {
    this.#changing(position).delete(position);
  }

  /** The rows that the change writes; null for those that it removes. */
  rows(): Map<string, Uint8Array | null> {
    return new Map([...this.#changed].map((name) => [name, this.#page(name).value()]));
  }

  /** Wipes the copies that were made of the store's rows. */
  wipe(): void {
    for (const page of this.#pages.values()) page.wipe();
  }

  #changing(position: TreePosition): Page {
    const name = pageOf(position);
    this.#changed.add(name);
    return this.#page(name);
  }

  #page(name: string): Page {
    const known = this.#pages.get(name);
    if (known !== undefined) return known;
    const value = this.#read(name);
    const page = value === undefined ? Page.empty() : Page.of(value.slice());
    this.#pages.set(name, page);
    return page;
  }
}

/** GRP-8: the names of the pages that {@link pathKeysOf} reads. */
export function pagesOfPath(height: number, place: number): readonly string[] {
  return pagesAbove(height, place).map(({ name }) => name);
}

/**
 * GRP-8: the keys of a member's path in a step, from the leaf to the root. They are only copied where they were stored
 * in that step.
 * @returns (height + 1) * 32 bytes.
 * @throws BAD_ENCODING when a page is damaged or a key is not there.
 */
export function pathKeysOf(
  scope: TreeScope,
  read: ReadPage,
  height: number,
  place: number,
  step: number,
): Uint8Array {
  const keys = new Uint8Array((height + 1) * TREE_KEY_LENGTH);
  for (const { name, positions } of pagesAbove(height, place)) {
    const value = read(name);
    const page = value === undefined ? Page.empty() : Page.of(value);
    for (const position of positions) {
      const stored = storedKey(page, position, step);
      const key = stored.step === step ? stored.key : keyAtStep(scope, position, stored, step);
      keys.set(key, position.level * TREE_KEY_LENGTH);
      if (key !== stored.key) wipe(key);
    }
  }
  return keys;
}

/**
 * GRP-6: a page with every key brought to a step, for the background.
 * @returns undefined when they were there already.
 * @throws BAD_ENCODING
 */
export function advancePage(
  scope: TreeScope,
  name: string,
  value: Uint8Array,
  step: number,
): Uint8Array | undefined {
  const page = Page.of(value.slice());
  const late = positionsOf(name).filter((position) => (page.get(position)?.step ?? step) < step);
  for (const position of late) {
    const key = keyAtStep(scope, position, storedKey(page, position, step), step);
    page.set(position, step, key);
    wipe(key);
  }
  return late.length === 0 ? undefined : (page.value() as Uint8Array);
}

/** @throws BAD_ENCODING when a page has no key of a position, or one of a later step. */
function storedKey(page: Page, position: TreePosition, step: number): SteppedKey {
  const stored = page.get(position);
  if (stored !== undefined && stored.step <= step) return stored;
  const { level, index } = position;
  throw new EncodingError('a stored tree has not the key that is wanted', { level, index, step });
}
