import { setImmediate as nextTurn } from 'node:timers/promises';
import { membershipAfter } from '@symmetra/protocol';
import type { RosterChanges } from '@symmetra/protocol';
import type { Change, Store } from '@symmetra/storage';
import { hexOf, lastPart, membershipRow, membershipsOf } from '../rows/row-keys.js';
import type { HeldGroup } from './held-group.js';

const ROWS_PER_COMMIT = 1000;
const PAGE = 256;
const NOTHING = new Uint8Array(0);

/**
 * Which groups a device may be a member of. Rows are written before a roster names the device, and removed after: what a
 * row says, the group's roster decides.
 */
export class Memberships {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Notes that devices may be members of a group. */
  async add(groupHex: string, devices: readonly string[]): Promise<void> {
    for (let first = 0; first < devices.length; first += ROWS_PER_COMMIT) {
      const part = devices.slice(first, first + ROWS_PER_COMMIT);
      await this.#store.commit(part.map((hex) => ({ key: membershipRow(hex, groupHex), value: NOTHING })));
      await nextTurn();
    }
  }

  /** The changes that forget that devices are members. */
  removal(groupHex: string, devices: readonly string[]): readonly Change[] {
    return devices.map((hex) => ({ key: membershipRow(hex, groupHex), value: null }));
  }

  /** The changes that forget those whom a deal that is given up would have added, and no deal in its place adds. */
  dropped(
    { groupHex, roster }: Pick<HeldGroup, 'groupHex' | 'roster'>,
    given: RosterChanges,
    instead: RosterChanges = { vacated: [], taken: [] },
  ): readonly Change[] {
    const isComing = membershipAfter(roster, instead);
    const strangers = given.taken.filter(
      ({ deviceId }) => roster.placeOf(deviceId) === undefined && !isComing(deviceId),
    );
    return this.removal(
      groupHex,
      strangers.map(({ deviceId }) => hexOf(deviceId)),
    );
  }

  /** The groups that a device may be a member of. */
  async of(deviceHex: string): Promise<readonly string[]> {
    const groups: string[] = [];
    let after: string | undefined;
    for (;;) {
      const scan = { limit: PAGE, ...(after !== undefined && { after }) };
      const page = await this.#store.scan(membershipsOf(deviceHex), scan);
      groups.push(...page.map(({ key }) => lastPart(key)));
      after = page.at(-1)?.key;
      if (page.length < PAGE) return groups;
    }
  }
}
