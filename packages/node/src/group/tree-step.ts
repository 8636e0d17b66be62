import { EncodingError } from '@symmetra/crypto';
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
import type { Logger } from '@symmetra/runtime';
import type { Store } from '@symmetra/storage';
import { lastPart, treePagesOf } from '../rows/row-keys.js';
import { TreePages } from './tree-pages.js';
import { treeScope } from './tree-scope.js';

/** What is logged when pages of a tree are damaged or missing. */
export const TREE_LOST =
  'The key tree of a group can not be read: it is made anew, and all members are welcomed.';

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

/** A tree to be made of fresh keys. */
export interface Plantation {
  readonly groupHex: string;
  readonly header: GroupHeader;
  /** The occupied places, ascending. */
  readonly places: readonly number[];
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
  readonly logger: Logger;
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
   * anew, and so is one that can not be read.
   */
  async take(turn: Turn): Promise<SteppedTree> {
    const { before, groupHex, header, step } = turn;
    const { context, logger, random } = this.#parts;
    const former = before && decodeGroupHeader(context, before.header);
    const nonce = random(32);
    if (former?.suiteId === header.suiteId) {
      try {
        return { nonce, ...(await this.#rekey(turn, former.height, nonce)) };
      } catch (error) {
        if (!(error instanceof EncodingError)) throw error;
        logger.error({ group: groupHex, epoch: header.epoch, err: error }, TREE_LOST);
      }
    }
    const pages = await this.plant({ groupHex, header, places: placesAfter(turn), step });
    return { pages, nonce, update: undefined };
  }

  /** A tree of fresh keys in place of the one that is stored. @returns the pages to store; the caller erases them */
  async plant({
    groupHex,
    header,
    ...planting
  }: Plantation): Promise<ReadonlyMap<string, Uint8Array | null>> {
    const { store, context, nodeId, random } = this.#parts;
    const pages = new Map<string, Uint8Array | null>();
    for (const { key, row } of await store.scan(treePagesOf(groupHex))) {
      row.value.fill(0);
      pages.set(lastPart(key), null);
    }
    const scope = treeScope(context, header, nodeId);
    const planted = plantTree(scope, { ...planting, height: header.height, random });
    for (const [name, page] of planted) pages.set(name, page);
    return pages;
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
}

/** The occupied places once the changes are made, ascending. */
function placesAfter({ roster, changes }: Turn): readonly number[] {
  const places = new Set(Array.from(roster.members(), ({ place }) => place));
  for (const place of changes.vacated) places.delete(place);
  for (const { place } of changes.taken) places.add(place);
  return [...places].toSorted((a, b) => a - b);
}
