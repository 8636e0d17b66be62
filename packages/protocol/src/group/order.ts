import { nameOf } from '../tree/roster.js';
import type { Roster, RosterChanges } from '../tree/roster.js';

/** A device that may not be in the next epoch. */
export interface OutDevice {
  readonly deviceId: Uint8Array;
  readonly reason: 'left' | 'revoked';
}

/** Members that deal when no manager is left. */
const SUCCESSORS = 3;

/**
 * GRP-10: who deals, and who next: the managers that are members and not out; when there is none, the three members at
 * the lowest places that are not out. Empty when nobody is left.
 * @param roster of the epoch in force.
 */
export function dealingOrder(
  managers: readonly Uint8Array[],
  roster: Roster,
  out: readonly OutDevice[],
): readonly Uint8Array[] {
  const away = new Set(out.map(({ deviceId }) => nameOf(deviceId)));
  const serving = managers.filter((id) => roster.placeOf(id) !== undefined && !away.has(nameOf(id)));
  if (serving.length > 0) return serving;
  const successors: Uint8Array[] = [];
  for (const { deviceId } of roster.members()) {
    if (away.has(nameOf(deviceId))) continue;
    successors.push(deviceId);
    if (successors.length === SUCCESSORS) break;
  }
  return successors;
}

/** Who is a member once the changes of a deal are made; O(changes) once, O(1) for each question. */
export function membershipAfter(roster: Roster, changes: RosterChanges): (deviceId: Uint8Array) => boolean {
  const vacated = new Set(changes.vacated);
  const taken = new Set(changes.taken.map(({ deviceId }) => nameOf(deviceId)));
  return (deviceId) => {
    const place = roster.placeOf(deviceId);
    return (place !== undefined && !vacated.has(place)) || taken.has(nameOf(deviceId));
  };
}
