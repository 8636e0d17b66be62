import { Reader, Writer, fromHex } from '@symmetra/crypto';
import { DEVICE_ID_LENGTH, SHORT_ID_LENGTH, membershipAfter } from '@symmetra/protocol';
import type { Logger } from '@symmetra/runtime';
import type { Presences } from '../presence/presences.js';
import type { Session } from '../presence/session-table.js';
import { hexOf } from '../rows/row-keys.js';
import type { Caller } from '../session/sealed-handler.js';
import type { Audience } from './audience.js';
import type { Departures } from './departures.js';
import type { GroupSeat } from './group-seat.js';
import type { GroupTable } from './group-table.js';
import type { HeldGroup } from './held-group.js';
import type { Memberships } from './memberships.js';
import type { Notices } from './notices.js';
import type { Welcomes } from './welcomes.js';

const MAX_NODE_ID_BYTES = 64;
const MAX_GROUPS = 2 ** 20;

export interface MembersParts {
  /** This node. */
  readonly self: string;
  readonly logger: Logger;
  readonly seat: GroupSeat;
  readonly table: GroupTable;
  readonly memberships: Memberships;
  readonly presences: Presences;
  readonly audience: Audience;
  readonly welcomes: Welcomes;
  readonly notices: Notices;
  readonly departures: Departures;
}

/** What happens to a device in all its groups at once. */
export class Members {
  readonly #parts: MembersParts;

  constructor(parts: MembersParts) {
    this.#parts = parts;
    parts.seat.offer('attached', async (request) => this.#attachedFor(request));
  }

  /**
   * GRP-8, GRP-10: a device attached: it gets the epochs that it has not confirmed, and the notices that concern it. A
   * group that fails keeps no other one waiting.
   */
  async attached(session: Session): Promise<void> {
    const { presences, seat } = this.#parts;
    const presence = presences.here(session.deviceHex);
    if (presence?.session !== session) return;
    const { home } = presence;
    if (seat.isHere) {
      await this.#welcome(session, home, () => presences.here(session.deviceHex)?.session === session);
    } else {
      await this.#tellSeat(session.deviceHex, home);
    }
  }

  /** A device of which another process of this node has the session has its link here now. */
  async linked(deviceHex: string): Promise<void> {
    try {
      await this.#tellSeat(deviceHex, this.#parts.self);
    } catch (error) {
      this.#parts.logger.debug({ err: error }, 'What groups a device listens to is not known yet.');
    }
  }

  /** GRP-10: a device was revoked. The process that works on groups sees to it. */
  async revoked(deviceHex: string): Promise<void> {
    if (this.#parts.seat.isHere) await this.#parts.departures.revoked(deviceHex);
  }

  /** Has the device welcomed, and listens for it, if its link is here, to the groups that it is a member of. */
  async #tellSeat(deviceHex: string, home: string): Promise<void> {
    const { audience, seat } = this.#parts;
    const request = new Writer().raw(fromHex(deviceHex)).text(home).finish();
    const reader = new Reader(await seat.have('attached', request), 'groups of a device');
    const groups = reader.list(MAX_GROUPS, (r) => hexOf(r.raw(SHORT_ID_LENGTH)));
    reader.end();
    for (const groupHex of groups) audience.add(groupHex, [deviceHex]);
  }

  /** @returns the groups that the device is a member of */
  async #attachedFor(request: Uint8Array): Promise<Uint8Array> {
    const reader = new Reader(request, 'device that attached');
    const deviceId = reader.raw(DEVICE_ID_LENGTH);
    const home = reader.text(MAX_NODE_ID_BYTES);
    reader.end();
    const groups = await this.#welcome({ deviceId, deviceHex: hexOf(deviceId) }, home, () => true);
    return new Writer().list(groups, (writer, groupHex) => void writer.raw(fromHex(groupHex))).finish();
  }

  async #welcome(device: Caller, home: string, isThere: () => boolean): Promise<readonly string[]> {
    const { logger, table, memberships } = this.#parts;
    const joined: string[] = [];
    for (const groupHex of await memberships.of(device.deviceHex)) {
      if (!isThere()) return joined;
      try {
        const isMember = await table.run(groupHex, async (group) => this.#arrive(group, device, home));
        if (isMember) joined.push(groupHex);
      } catch (error) {
        logger.warn({ group: groupHex, err: error }, 'A device could not be welcomed to a group.');
      }
    }
    return joined;
  }

  /** @returns whether the device is a member */
  async #arrive(group: HeldGroup, { deviceId, deviceHex }: Caller, home: string): Promise<boolean> {
    const { self, table, memberships, audience, welcomes, notices } = this.#parts;
    const place = group.roster.placeOf(deviceId);
    if (place === undefined) {
      const isComing = membershipAfter(group.roster, await table.changesOf(group));
      const gone = isComing(deviceId) ? [] : memberships.removal(group.groupHex, [deviceHex]);
      if (gone.length > 0) await table.commitBeside(group, gone);
      return false;
    }
    if (home === self) audience.add(group.groupHex, [deviceHex]);
    if (notices.isDue(group)) notices.remind(group, deviceHex, home);
    else await welcomes.send(group, [place]);
    return true;
  }
}
