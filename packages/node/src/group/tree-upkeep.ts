import { setImmediate as nextTurn } from 'node:timers/promises';
import { EncodingError } from '@symmetra/crypto';
import { advancePage, decodeGroupHeader } from '@symmetra/protocol';
import type { ProtocolContext } from '@symmetra/protocol';
import type { Logger } from '@symmetra/runtime';
import type { Change, Store } from '@symmetra/storage';
import { lastPart, treePagesOf } from '../rows/row-keys.js';
import type { GroupTable } from './group-table.js';
import type { GroupTimers } from './group-timers.js';
import type { HeldGroup } from './held-group.js';
import { treeScope } from './tree-scope.js';
import type { Welcomes } from './welcomes.js';

/** How long after an epoch began its tree is looked after: an hour's rotations share few runs. */
const AFTER_MS = 60_000;
const SECOND_MS = 1000;
/** Pages that are advanced before other work on the group gets its turn. */
const PAGES_PER_TURN = 16;

export interface TreeUpkeepParts {
  readonly store: Store;
  readonly logger: Logger;
  readonly context: ProtocolContext;
  readonly nodeId: string;
  readonly table: GroupTable;
  readonly timers: GroupTimers;
  readonly welcomes: Welcomes;
}

/** GRP-6: takes the keys that an epoch did not need to its step, in the background, so that no former key is left. */
export class TreeUpkeep {
  readonly #parts: TreeUpkeepParts;
  /** Groups whose turn is set: a group with an epoch every few seconds gets its turn too. */
  readonly #noted = new Set<string>();
  #running: Promise<void> = Promise.resolve();

  constructor(parts: TreeUpkeepParts) {
    this.#parts = parts;
  }

  /**
   * A group's tree may lag behind its step. One tree is looked after at a time.
   * @param lifetimeSeconds of the epoch, before whose end the tree has to be there.
   */
  note(groupHex: string, lifetimeSeconds: number): void {
    if (this.#noted.has(groupHex)) return;
    this.#noted.add(groupHex);
    const pauseMs = Math.min(AFTER_MS, (lifetimeSeconds * SECOND_MS) / 2);
    this.#parts.timers.set(`tree/${groupHex}`, pauseMs, () => {
      this.#noted.delete(groupHex);
      this.#running = this.#running.then(async () => this.run(groupHex, lifetimeSeconds));
    });
  }

  /** Another process looks after the trees now: no turn is set any more. */
  forget(): void {
    this.#noted.clear();
  }

  /** Advances all pages of a group. Never fails: what is left goes the next time. */
  async run(groupHex: string, lifetimeSeconds: number): Promise<void> {
    try {
      const { table } = this.#parts;
      let cursor = await table.run(groupHex, async (group) => this.#advance(group, undefined));
      while (cursor !== undefined && !table.isStopped) {
        await nextTurn();
        const after = cursor;
        cursor = await table.run(groupHex, async (group) => this.#advance(group, after));
      }
    } catch (error) {
      this.#parts.logger.warn(
        { group: groupHex, err: error },
        'The tree of a group could not be brought to its step.',
      );
      this.note(groupHex, lifetimeSeconds);
    }
  }

  /** @returns the key of the last page that was looked at; undefined when there are no more */
  async #advance(group: HeldGroup, after: string | undefined): Promise<string | undefined> {
    try {
      return await this.#advancePages(group, after);
    } catch (error) {
      if (!(error instanceof EncodingError)) throw error;
      await this.#parts.welcomes.replant(group, error);
      return undefined;
    }
  }

  async #advancePages({ groupHex, row }: HeldGroup, after: string | undefined): Promise<string | undefined> {
    if (row?.group.inForce === undefined) return undefined;
    const { store, context, nodeId } = this.#parts;
    const scope = treeScope(context, decodeGroupHeader(context, row.group.inForce.header), nodeId);
    const scan = { limit: PAGES_PER_TURN, ...(after !== undefined && { after }) };
    const pages = await store.scan(treePagesOf(groupHex), scan);
    const changes: Change[] = [];
    for (const { key, row: page } of pages) {
      const value = advancePage(scope, lastPart(key), page.value, row.step);
      page.value.fill(0);
      if (value !== undefined) changes.push({ key, value, expect: page.version });
    }
    if (changes.length > 0) await store.commit(changes).finally(() => changes.forEach(wipeChange));
    return pages.length < PAGES_PER_TURN ? undefined : pages.at(-1)?.key;
  }
}

function wipeChange({ value }: Change): void {
  value?.fill(0);
}
