import { decodeGroupHeader, pagesOf, plantTree, rekey } from '@symmetra/protocol';
import type {
  GroupEpoch,
  GroupHeader,
  ProtocolContext,
  Roster,
  RosterChanges,
  TreeUpdate,
} from '@symmetra/protocol';
import type { RandomBytes } from '@symmetra/entropy';
import type { Store } from '@symmetra/storage';
import { lastPart, treePagesOf } from '../rows/row-keys.js';
import { TreePages } from './tree-pages.js';
import { treeScope } from './tree-scope.js';

/** An epoch that comes into force. */
export interface Turn {
  readonly groupHex: string;
  readonly before: GroupEpoch | undefined;
  readonly epoch: GroupEpoch;
  readonly header: GroupHeader;
  /** As it was before. */
  readonly roster: Roster;
  readonly changes: RosterChanges;
  /** Of the tree, in the new epoch. */
  readonly step: number;
}

/** A tree in a new step. */
export interface SteppedTree {
  /** To be stored; null for those to remove. They hold keys: the caller erases them. */
  readonly pages: ReadonlyMap<string, Uint8Array | null>;
  readonly nonce: Uint8Array;
  /** What the members that stay need; undefined when everybody has to be welcomed. */
  readonly update: TreeUpdate | undefined;
}

export interface TreeStepsParts {
  readonly store: Store;
  readonly random: RandomBytes;
  readonly context: ProtocolContext;
  readonly nodeId: string;
}

/** GRP-6: takes this node's trees from epoch to epoch. */
export class TreeSteps {
  readonly #parts: TreeStepsParts;

  constructor(parts: TreeStepsParts) {
    this.#parts = parts;
  }

  /**
   * The tree of the epoch that comes into force. Under another suite than before, which derives otherwise, it is made
   * anew.
   */
  async take(turn: Turn): Promise<SteppedTree> {
    const { before, header } = turn;
    const { context, random } = this.#parts;
    const former = before && decodeGroupHeader(context, before.header);
    const nonce = random(32);
    if (former?.suiteId !== header.suiteId) {
      return { pages: await this.#plant(turn), nonce, update: undefined };
    }
    return { nonce, ...(await this.#rekey(turn, former.height, nonce)) };
  }

  async #rekey(
    turn: Turn,
    heightBefore: number,
    nonce: Uint8Array,
  ): Promise<Pick<SteppedTree, 'pages' | 'update'>> {
    const { store, context, nodeId, random } = this.#parts;
    const { groupHex, header, epoch, changes, step } = turn;
    const change = { heightBefore, changes, height: header.height };
    const pages = await TreePages.read(store, groupHex, pagesOf(change));
    try {
      return rekey(treeScope(context, header, nodeId), pages.get, {
        ...change,
        step,
        nonce,
        epochId: epoch.epochId,
        share: epoch.share?.bytes ?? new Uint8Array(0),
        random,
      });
    } finally {
      pages.wipe();
    }
  }

  async #plant(turn: Turn): Promise<ReadonlyMap<string, Uint8Array | null>> {
    const { store, context, nodeId, random } = this.#parts;
    const { groupHex, header, step } = turn;
    const former = await store.scan(treePagesOf(groupHex));
    const pages = new Map<string, Uint8Array | null>();
    for (const { key, row } of former) {
      row.value.fill(0);
      pages.set(lastPart(key), null);
    }
    const planted = plantTree(treeScope(context, header, nodeId), {
      places: placesAfter(turn),
      height: header.height,
      step,
      random,
    });
    for (const [name, page] of planted) pages.set(name, page);
    return pages;
  }
}

/** The occupied places once the changes are made, ascending. */
function placesAfter({ roster, changes }: Turn): readonly number[] {
  const places = new Set(Array.from(roster.members(), ({ place }) => place));
  for (const place of changes.vacated) places.delete(place);
  for (const { place } of changes.taken) places.add(place);
  return [...places].toSorted((a, b) => a - b);
}
