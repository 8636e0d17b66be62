import { pathKeysOf, plantTree, rekey } from '@symmetra/protocol';
import type { TreeScope } from '@symmetra/protocol';
import { GROUP_ID, HandTree } from './group-by-hand.js';
import { NETWORK_ID, agreed } from './vector.js';
import type { Bench } from './vector.js';

/** A node: the tree of the protocol, and the one by hand. */
export class VectorTree {
  readonly nodeId: string;
  readonly hand: HandTree;
  readonly #scope: TreeScope;
  readonly #pages = new Map<string, Uint8Array>();

  constructor({ suite, hand }: Bench, nodeId: string) {
    this.nodeId = nodeId;
    this.hand = new HandTree(hand, GROUP_ID, nodeId);
    this.#scope = { suite, networkId: NETWORK_ID, groupId: GROUP_ID, nodeId };
  }

  plant(places: readonly number[], height: number, random: (length: number) => Uint8Array): void {
    this.#store(plantTree(this.#scope, { places, height, step: 0, random }));
  }

  rekey(rekeying: Parameters<typeof rekey>[2]): NonNullable<ReturnType<typeof rekey>['update']> {
    const { pages, update } = rekey(this.#scope, (name) => this.#pages.get(name), rekeying);
    this.#store(pages);
    if (update === undefined) throw new Error('a small change fits a broadcast');
    return update;
  }

  path(height: number, place: number): Uint8Array {
    const read = (name: string): Uint8Array | undefined => this.#pages.get(name);
    const keys = pathKeysOf(this.#scope, read, height, place, this.hand.step);
    agreed(`path of place ${place} at ${this.nodeId}`, keys, this.hand.path(height, place));
    return keys;
  }

  #store(pages: ReadonlyMap<string, Uint8Array | null>): void {
    for (const [name, value] of pages) {
      if (value === null) this.#pages.delete(name);
      else this.#pages.set(name, value);
    }
  }
}
