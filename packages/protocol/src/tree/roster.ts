import { SymmetraError, toHex } from '@symmetra/crypto';
import { DEVICE_ID_LENGTH } from '../context.js';
import { RosterHashes } from './roster-hashes.js';
import type { ChangedHashes } from './roster-hashes.js';
import { MAX_MEMBERS, heightAbove } from './shape.js';

/** A device at its place. */
export interface Placed {
  /** From 0. */
  readonly place: number;
  /** 32 bytes. */
  readonly deviceId: Uint8Array;
}

/** What turns one roster into another. Both lists ascend; a place may be in both. */
export interface RosterChanges {
  readonly vacated: readonly number[];
  readonly taken: readonly Placed[];
}

/** What a header says of a roster (GRP-1). */
export interface RosterOutcome {
  /** Members. */
  readonly size: number;
  readonly height: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
}

/** GRP-2: which device stands at which place. It lives in memory and changes by {@link Roster.apply} alone. */
export class Roster {
  /** By place, up to the highest that is occupied. */
  readonly #devices: (Uint8Array | undefined)[] = [];
  readonly #places = new Map<string, number>();
  readonly #hashes = new RosterHashes();

  /** @param members in any order. @throws BAD_ROSTER for a place or a device that is there twice, and for a place past the last. */
  static of(members: Iterable<Placed>): Roster {
    const roster = new Roster();
    roster.apply({ vacated: [], taken: [...members].toSorted((one, other) => one.place - other.place) });
    return roster;
  }

  /** Members. */
  get size(): number {
    return this.#places.size;
  }

  /** The least h with every occupied place below 2^h. */
  get height(): number {
    return heightAbove(this.#devices.length - 1);
  }

  /** The roster root (GRP-2), 32 bytes. */
  root(): Uint8Array {
    return this.#hashes.root(this.height);
  }

  placeOf(deviceId: Uint8Array): number | undefined {
    return this.#places.get(nameOf(deviceId));
  }

  /** The device id at a place. */
  at(place: number): Uint8Array | undefined {
    return this.#devices[place];
  }

  /** The members from a place on, by place. */
  *members(from = 0): Iterable<Placed> {
    for (let place = from; place < this.#devices.length; place++) {
      const deviceId = this.#devices[place];
      if (deviceId !== undefined) yield { place, deviceId };
    }
  }

  /**
   * GRP-2: the changes of a deal: the removed leave, then the added take the lowest free places in their order.
   * @throws MEMBER_UNKNOWN, MEMBER_TWICE, GROUP_TOO_LARGE
   */
  plan(removed: readonly Uint8Array[], added: readonly Uint8Array[]): RosterChanges {
    const vacated = this.#placesOf(removed);
    this.#checkAdded(added);
    const left = new Set(vacated);
    const taken: Placed[] = [];
    let place = 0;
    for (const deviceId of added) {
      while (this.#devices[place] !== undefined && !left.has(place)) place++;
      if (place >= MAX_MEMBERS) {
        throw new SymmetraError(
          'GROUP_TOO_LARGE',
          'the group would have more members than there are places',
          {
            limit: MAX_MEMBERS,
          },
        );
      }
      taken.push({ place, deviceId });
      place++;
    }
    return { vacated, taken };
  }

  /** The changes that turn this roster into another (GRP-4: a node that is behind). */
  differences(to: Roster): RosterChanges {
    const vacated: number[] = [];
    const taken: Placed[] = [];
    for (let place = 0; place < Math.max(this.#devices.length, to.#devices.length); place++) {
      const before = this.#devices[place];
      const after = to.#devices[place];
      if (sameDevice(before, after)) continue;
      if (before !== undefined) vacated.push(place);
      if (after !== undefined) taken.push({ place, deviceId: after });
    }
    return { vacated, taken };
  }

  /** What the roster would be with these changes; O(changes * log m) hashes. @throws BAD_ROSTER when they do not fit. */
  outcome(changes: RosterChanges): RosterOutcome {
    this.#check(changes);
    const height = heightAbove(this.#highestAfter(changes));
    return {
      size: this.size - changes.vacated.length + changes.taken.length,
      height,
      root: this.#hashes.root(height, this.#rehashed(changes)),
    };
  }

  /** Makes the changes. @throws BAD_ROSTER when they do not fit; then nothing changed. */
  apply(changes: RosterChanges): void {
    this.#check(changes);
    this.#hashes.adopt(this.#rehashed(changes));
    const highest = this.#highestAfter(changes);
    for (const place of changes.vacated) {
      this.#places.delete(nameOf(this.#devices[place] as Uint8Array));
      this.#devices[place] = undefined;
    }
    while (this.#devices.length <= highest) this.#devices.push(undefined);
    this.#devices.length = highest + 1;
    for (const { place, deviceId } of changes.taken) {
      this.#devices[place] = deviceId.slice();
      this.#places.set(nameOf(deviceId), place);
    }
  }

  #placesOf(removed: readonly Uint8Array[]): number[] {
    const places = new Set<number>();
    for (const deviceId of removed) {
      const place = this.placeOf(deviceId);
      if (place === undefined || places.has(place)) {
        throw new SymmetraError('MEMBER_UNKNOWN', 'a device that is to be removed is not a member', {
          device: toHex(deviceId),
        });
      }
      places.add(place);
    }
    return [...places].toSorted((a, b) => a - b);
  }

  #checkAdded(added: readonly Uint8Array[]): void {
    const seen = new Set<string>();
    for (const deviceId of added) {
      const device = nameOf(deviceId);
      if (this.#places.has(device) || seen.has(device)) {
        throw new SymmetraError('MEMBER_TWICE', 'a device that is to be added is a member already', {
          device: toHex(deviceId),
        });
      }
      seen.add(device);
    }
  }

  #check({ vacated, taken }: RosterChanges): void {
    const left = new Set(vacated);
    const seen = new Set<string>();
    const leaving = (place: number, i: number): boolean =>
      this.#devices[place] !== undefined && place > (vacated[i - 1] ?? -1);
    const arriving = ({ place, deviceId }: Placed, i: number): boolean => {
      const device = nameOf(deviceId);
      const before = this.#places.get(device);
      const fits =
        Number.isInteger(place) &&
        place > (taken[i - 1]?.place ?? -1) &&
        place < MAX_MEMBERS &&
        (this.#devices[place] === undefined || left.has(place)) &&
        deviceId.length === DEVICE_ID_LENGTH &&
        (before === undefined || left.has(before)) &&
        !seen.has(device);
      seen.add(device);
      return fits;
    };
    if (vacated.every(leaving) && taken.every(arriving)) return;
    throw new SymmetraError(
      'BAD_ROSTER',
      'a place or a device would be in the roster twice, or is not there',
    );
  }

  #highestAfter({ vacated, taken }: RosterChanges): number {
    const left = new Set(vacated);
    let held = this.#devices.length - 1;
    while (held >= 0 && (this.#devices[held] === undefined || left.has(held))) held--;
    return Math.max(held, taken.at(-1)?.place ?? -1);
  }

  #rehashed({ vacated, taken }: RosterChanges): ChangedHashes {
    const arrived = new Map(taken.map(({ place, deviceId }) => [place, deviceId]));
    const places = [...new Set([...vacated, ...arrived.keys()])].toSorted((a, b) => a - b);
    return this.#hashes.changed(places, (place) => arrived.get(place));
  }
}

/** A key for maps: one character for each byte, which is made faster than hexadecimal and takes less memory. */
export function nameOf(deviceId: Uint8Array): string {
  // Spreading the bytes would take four times as long: thousands of names are made for one deal.
  return String.fromCharCode.apply(undefined, deviceId as unknown as number[]);
}

function sameDevice(one: Uint8Array | undefined, other: Uint8Array | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return one.every((byte, i) => byte === other[i]);
}
