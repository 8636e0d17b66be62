import { checkPolicy, checkStanding, decodeHeader } from '@symmetra/protocol';
import type { Header } from '@symmetra/protocol';
import type { Clock, Logger } from '@symmetra/runtime';
import { SymmetraError } from '@symmetra/crypto';
import type { ControlState } from '../control/control-state.js';
import type { Freshness } from '../control/freshness.js';
import type { DeviceRegistry } from '../devices/device-registry.js';
import type { EventSender } from '../presence/event-sender.js';
import type { Presences } from '../presence/presences.js';
import type { Session } from '../presence/session-table.js';
import { hexOf } from '../rows/row-keys.js';
import type { PendingShares } from '../shares/pending-shares.js';
import type { ShareRow } from '../shares/share-row.js';

export interface DeliveriesParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly freshness: Freshness;
  readonly state: ControlState;
  readonly devices: DeviceRegistry;
  readonly presences: Presences;
  readonly events: EventSender;
  readonly shares: PendingShares;
}

/** Hands resting shares to their responders (PAIR-4). */
export class Deliveries {
  readonly #parts: DeliveriesParts;

  constructor(parts: DeliveriesParts) {
    this.#parts = parts;
  }

  /**
   * Delivers one share, if its responder is attached and both devices may still hold such a key together. One that fails is
   * made up for when the responder attaches again.
   * @param decoded the row's header, when the caller has decoded it already.
   */
  async deliver(
    responderHex: string,
    keyHex: string,
    row: Omit<ShareRow, 'expiresMs'>,
    decoded?: Header,
  ): Promise<void> {
    try {
      await this.#deliver(responderHex, keyHex, row, decoded);
    } catch (error) {
      await this.#parts.events.owe(responderHex);
      throw error;
    }
  }

  async #deliver(
    responderHex: string,
    keyHex: string,
    row: Omit<ShareRow, 'expiresMs'>,
    decoded?: Header,
  ): Promise<void> {
    const { presences, events } = this.#parts;
    if (!this.#isFreshFor(responderHex)) return;
    if ((await presences.find(responderHex)) === undefined) return;
    const initiatorHex = hexOf(row.initiator);
    const { header, share, ephemeralKey, granted } = row;
    const asked = decoded ?? decodeHeader(this.#parts.state.context, header);
    if (!(await this.#mayDeliver(initiatorHex, responderHex, keyHex, asked))) return;
    const initiator = await presences.publicOf(initiatorHex);
    // What was read may have taken long.
    if (!this.#isFreshFor(responderHex)) return;
    await events.send(responderHex, { delivery: { header, share, ephemeralKey, granted, initiator } });
  }

  /** Delivers everything that waits for a device, as long as it stays attached in this session. */
  async deliverAll(session: Session): Promise<void> {
    const { clock, presences, shares } = this.#parts;
    for await (const { keyHex, share } of shares.read(session.deviceHex)) {
      const attached = presences.here(session.deviceHex)?.session === session;
      if (attached && share.expiresMs > clock.now()) await this.deliver(session.deviceHex, keyHex, share);
      share.share.fill(0);
      if (!attached) return;
    }
  }

  /** CTL-7: a node that is not fresh hands out nothing; what waits goes out as soon as it is. */
  #isFreshFor(responderHex: string): boolean {
    const { freshness } = this.#parts;
    if (freshness.isFresh) return true;
    freshness.whenFresh(`shares/${responderHex}`, () => void this.#deliverWaiting(responderHex));
    return false;
  }

  /** Never fails: what could not be delivered now comes with the next attach. */
  async #deliverWaiting(responderHex: string): Promise<void> {
    const { clock, logger, shares, events } = this.#parts;
    try {
      for await (const { keyHex, share } of shares.read(responderHex)) {
        if (share.expiresMs > clock.now()) await this.deliver(responderHex, keyHex, share);
        share.share.fill(0);
      }
    } catch (error) {
      logger.warn({ err: error }, 'Shares that waited for agreement on the control log were not delivered.');
      await events.owe(responderHex);
    }
  }

  /** Policy, revocation and standing, checked again at the moment of delivery. */
  async #mayDeliver(
    initiatorHex: string,
    responderHex: string,
    keyHex: string,
    header: Header,
  ): Promise<boolean> {
    const { state, devices } = this.#parts;
    const initiator = devices.cachedStanding(initiatorHex) ?? (await devices.standing(initiatorHex));
    const responder = devices.cachedStanding(responderHex) ?? (await devices.standing(responderHex));
    if (state.halted || state.isKeyRevoked(keyHex) || initiator === undefined) return false;
    try {
      checkPolicy(state.brokerRules, header);
      checkStanding(state.brokerRules, initiator, responder);
      return true;
    } catch (error) {
      if (error instanceof SymmetraError) return false;
      throw error;
    }
  }
}
