import { SymmetraError } from '@symmetra/crypto';
import { hexOf } from '../rows/row-keys.js';
import type { GroupRow } from './group-row.js';

/** Groups that one device created and that did not end, at one node. */
const MAX_CREATED = 256;

/** GRP-4: which groups each device created here, so that no device fills a node. As bounded as the groups. */
export class CreatedGroups {
  /** By device: groups. */
  readonly #created = new Map<string, Set<string>>();

  /** A device creates a group. @throws GROUP_LIMITS */
  claim(groupHex: string, creator: Uint8Array): void {
    const groups = this.#created.get(hexOf(creator));
    if (groups !== undefined && groups.size >= MAX_CREATED && !groups.has(groupHex)) {
      throw new SymmetraError('GROUP_LIMITS', 'the device created as many groups as it may have here', {
        limit: MAX_CREATED,
      });
    }
    this.#add(groupHex, hexOf(creator));
  }

  /** Counts a group as its row says: for its creator, as long as it has an epoch or a pending deal. */
  settle(groupHex: string, creator: Uint8Array | undefined, row: GroupRow | undefined): void {
    if (creator === undefined) return;
    const creatorHex = hexOf(creator);
    const isThere = row?.group.inForce !== undefined || row?.group.pending !== undefined;
    if (isThere && row.creator !== undefined && hexOf(row.creator) === creatorHex) {
      this.#add(groupHex, creatorHex);
      return;
    }
    const groups = this.#created.get(creatorHex);
    groups?.delete(groupHex);
    if (groups?.size === 0) this.#created.delete(creatorHex);
  }

  #add(groupHex: string, creatorHex: string): void {
    const groups = this.#created.get(creatorHex) ?? new Set<string>();
    this.#created.set(creatorHex, groups.add(groupHex));
  }
}
