import { SymmetraError, concat } from '@symmetra/crypto';
import type { Bus } from '@symmetra/bus';
import { DEVICE_ID_LENGTH } from '@symmetra/protocol';
import { decode, encode } from '@symmetra/rpc';
import type { LinkEvent, MessageInput } from '@symmetra/rpc';
import type { Logger } from '@symmetra/runtime';
import type { LinkTable } from '../link/link-table.js';
import { hexOf } from '../rows/row-keys.js';
import type { Presence, PresenceTable } from './presence-table.js';
import type { SessionTable } from './session-table.js';

const EVENT_METHOD = '/symmetra.link.v1.LinkService/Event';
const EVENT_SUBJECT = 'event';
const EVENT_TIMEOUT_MS = 5000;
const HANDED_OVER = Uint8Array.of(1);
const NOT_LINKED = Uint8Array.of(0);

/** The content of an event; its number is put in here. */
export type DeviceEvent = Omit<MessageInput<'symmetra.link.v1.DeviceEvent'>, 'number'>;

export interface EventSenderParts {
  readonly bus: Bus;
  readonly logger: Logger;
  readonly sessions: SessionTable;
  readonly presences: PresenceTable;
  readonly links: LinkTable;
}

/** Seals events to devices and brings them to the devices' home nodes (SES-6). */
export class EventSender {
  readonly #parts: EventSenderParts;

  constructor(parts: EventSenderParts) {
    this.#parts = parts;
    parts.bus.serve(EVENT_SUBJECT, async (from, payload) => this.#pass(from, payload));
  }

  /**
   * Sends an event to a device that is attached. What is lost on the way the device finds out by its number.
   * @returns whether it was sent
   */
  send(deviceHex: string, event: DeviceEvent): boolean {
    const presence = this.#parts.presences.of(deviceHex);
    if (presence === undefined) return false;
    const sealed = this.#seal(presence, event);
    return sealed !== undefined && this.#carry(presence, sealed);
  }

  /** Seals in the session in which the device attached last; a session that can carry no more is over. */
  #seal({ session }: Presence, event: DeviceEvent): LinkEvent | undefined {
    const plaintext = encode('symmetra.link.v1.DeviceEvent', { number: session.nextEvent(), ...event });
    try {
      const { seq, ciphertext } = session.end.seal(EVENT_METHOD, plaintext);
      return { node: this.#parts.bus.self, sealed: { session: session.end.sessionId, seq, ciphertext } };
    } catch (error) {
      if (!(error instanceof SymmetraError)) throw error;
      this.#parts.sessions.remove(session);
      return undefined;
    } finally {
      plaintext.fill(0);
    }
  }

  #carry(presence: Presence, event: LinkEvent): boolean {
    const { bus, links } = this.#parts;
    const { session, home } = presence;
    if (home === bus.self) {
      const handedOver = links.of(session.deviceHex)?.sendEvent(event) ?? false;
      if (!handedOver) this.#parts.presences.forget(session);
      return handedOver;
    }
    const payload = concat(session.deviceId, encode('symmetra.link.v1.Event', event));
    void this.#carryOverBus(presence, payload);
    return true;
  }

  async #carryOverBus({ session, home }: Presence, payload: Uint8Array): Promise<void> {
    const { bus, logger, presences } = this.#parts;
    try {
      const [handedOver] = await bus.request(home, EVENT_SUBJECT, payload, { timeoutMs: EVENT_TIMEOUT_MS });
      if (handedOver !== 1) presences.forget(session);
    } catch (error) {
      presences.forget(session);
      logger.debug({ home, device: session.device, err: error }, 'An event did not reach the home node.');
    }
  }

  /** As home node: passes on an event of another node, without being able to read it. */
  #pass(from: string, payload: Uint8Array): Uint8Array {
    const deviceHex = hexOf(payload.subarray(0, DEVICE_ID_LENGTH));
    const event = decode('symmetra.link.v1.Event', payload.subarray(DEVICE_ID_LENGTH));
    if (event.node !== from) {
      throw new SymmetraError('WRONG_NODE', 'the event is of another node than its sender');
    }
    return this.#parts.links.of(deviceHex)?.sendEvent(event) === true ? HANDED_OVER : NOT_LINKED;
  }
}
