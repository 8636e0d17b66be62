import type { Change, Store } from '@symmetra/storage';
import { treePageRow } from '../rows/row-keys.js';

/** Pages of a group's tree that were read for one purpose. The caller erases them. */
export class TreePages {
  readonly #pages = new Map<string, Uint8Array>();

  /** Reads the pages that there are of those named. */
  static async read(store: Store, groupHex: string, names: Iterable<string>): Promise<TreePages> {
    const pages = new TreePages();
    for (const name of names) {
      const stored = await store.get(treePageRow(groupHex, name));
      if (stored !== undefined) pages.#pages.set(name, stored.value);
    }
    return pages;
  }

  readonly get = (name: string): Uint8Array | undefined => this.#pages.get(name);

  wipe(): void {
    for (const page of this.#pages.values()) page.fill(0);
    this.#pages.clear();
  }
}

/** Changes that store pages; null removes one. */
export function treePageChanges(
  groupHex: string,
  pages: ReadonlyMap<string, Uint8Array | null>,
): readonly Change[] {
  return Array.from(pages, ([name, value]) => ({ key: treePageRow(groupHex, name), value }));
}

/** Erases pages that are stored by now. */
export function wipePages(pages: ReadonlyMap<string, Uint8Array | null>): void {
  for (const page of pages.values()) page?.fill(0);
}
