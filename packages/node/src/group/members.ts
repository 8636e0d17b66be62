import type { Logger } from '@symmetra/runtime';
import type { Presence, PresenceTable } from '../presence/presence-table.js';
import type { Session } from '../presence/session-table.js';
import { membershipAfter } from '@symmetra/protocol';
import type { Audience } from './audience.js';
import type { Departures } from './departures.js';
import type { GroupTable } from './group-table.js';
import type { HeldGroup } from './held-group.js';
import type { Memberships } from './memberships.js';
import type { Notices } from './notices.js';
import type { Welcomes } from './welcomes.js';

export interface MembersParts {
  /** This node. */
  readonly self: string;
  readonly logger: Logger;
  readonly table: GroupTable;
  readonly memberships: Memberships;
  readonly presences: PresenceTable;
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
  }

  /**
   * GRP-8, GRP-10: a device attached: it gets the epochs that it has not confirmed, and the notices that concern it. A
   * group that fails keeps no other one waiting.
   */
  async attached(session: Session): Promise<void> {
    const { logger, table, memberships, presences } = this.#parts;
    for (const groupHex of await memberships.of(session.deviceHex)) {
      const presence = presences.of(session.deviceHex);
      if (presence?.session !== session) return;
      try {
        await table.run(groupHex, async (group) => this.#arrive(group, presence));
      } catch (error) {
        logger.warn({ device: session.device, err: error }, 'A device could not be welcomed to a group.');
      }
    }
  }

  /** GRP-10: a device was revoked. */
  async revoked(deviceHex: string): Promise<void> {
    await this.#parts.departures.revoked(deviceHex);
  }

  async #arrive(group: HeldGroup, presence: Presence): Promise<void> {
    const { self, table, memberships, audience, welcomes, notices } = this.#parts;
    const { session, home } = presence;
    const place = group.roster.placeOf(session.deviceId);
    if (place === undefined) {
      const isComing = membershipAfter(group.roster, await table.changesOf(group));
      if (!isComing(session.deviceId)) await memberships.remove(group.groupHex, session.deviceHex);
      return;
    }
    if (home === self) audience.add(group.groupHex, session.deviceHex);
    if (notices.isDue(group)) notices.remind(group, presence);
    else await welcomes.send(group, [place]);
  }
}
