import type { LogRows } from '../control/log-rows.js';
import type { ControlState } from '../control/control-state.js';
import { toNotice } from '../control/notice.js';
import type { Members } from '../group/members.js';
import type { EventSender } from '../presence/event-sender.js';
import type { Presences } from '../presence/presences.js';
import type { Session } from '../presence/session-table.js';
import type { Deliveries } from '../pairwise/deliveries.js';
import type { Clock, Logger } from '@symmetra/runtime';
import type { RevokedKeys } from '../shares/revoked-keys.js';
import type { PairRows } from '../shares/pair-rows.js';

export interface SynchronisationParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly state: ControlState;
  readonly log: LogRows;
  readonly pairs: PairRows;
  readonly revokedKeys: RevokedKeys;
  readonly presences: Presences;
  readonly events: EventSender;
  readonly deliveries: Deliveries;
  readonly members: Members;
}

/**
 * Sends a device what it may have missed: the policy, revocations that concern it, its waiting shares (SES-7), and the
 * epochs of its groups (GRP-8).
 */
export class Synchronisation {
  readonly #parts: SynchronisationParts;

  constructor(parts: SynchronisationParts) {
    this.#parts = parts;
  }

  /**
   * Never fails: what could not be sent now comes with the next attach; a number that no event has sees to that.
   * @param behind whether events may be missing; of broadcasts a device does not know.
   */
  async run(session: Session, behind: boolean): Promise<void> {
    try {
      if (behind) await this.#sendEvents(session);
      await this.#parts.members.attached(session);
    } catch (error) {
      session.nextEvent();
      this.#parts.logger.warn(
        { device: session.device, err: error },
        'A device could not be brought up to date.',
      );
    }
  }

  async #sendEvents(session: Session): Promise<void> {
    for (const number of await this.#concerning(session.deviceHex)) {
      if (this.#parts.presences.here(session.deviceHex)?.session !== session) return;
      await this.#sendNotice(session, number);
    }
    await this.#parts.deliveries.deliverAll(session);
  }

  /** Numbers of the events, in their order. */
  async #concerning(deviceHex: string): Promise<readonly number[]> {
    const { clock, state, pairs, revokedKeys } = this.#parts;
    const peers = await pairs.peersOf(deviceHex, clock.now());
    const revoked = peers
      .map((peer) => state.deviceRevocation(peer))
      .filter((number) => number !== undefined);
    const numbers = [state.policyRevision, ...revoked, ...revokedKeys.of(deviceHex, clock.now())];
    return numbers.filter((number) => number > 0).toSorted((a, b) => a - b);
  }

  async #sendNotice(session: Session, number: number): Promise<void> {
    const event = await this.#parts.log.event(number);
    if (event !== undefined) this.#parts.events.sendHere(session.deviceHex, { notice: toNotice(event) });
  }
}
