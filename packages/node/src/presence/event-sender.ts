import { setImmediate as nextTurn } from 'node:timers/promises';
import { SymmetraError, concat } from '@symmetra/crypto';
import type { Bus } from '@symmetra/bus';
import { DEVICE_ID_LENGTH } from '@symmetra/protocol';
import { decode, encode } from '@symmetra/rpc';
import type { LinkEvent, MessageInput } from '@symmetra/rpc';
import type { Clock, Logger } from '@symmetra/runtime';
import type { LinkTable } from '../link/link-table.js';
import type { Siblings } from '../replicas/siblings.js';
import { hexOf } from '../rows/row-keys.js';
import { Nudges } from './nudges.js';
import type { Carried } from './nudges.js';
import type { Presence } from './presence-table.js';
import type { Presences, Whereabouts } from './presences.js';
import type { SessionTable } from './session-table.js';

const EVENT_METHOD = '/symmetra.link.v1.LinkService/Event';
const EVENT_SUBJECT = 'event';
/** Between the processes of one node: an event that is yet to be sealed. */
const SEND_SUBJECT = 'event-send';
const EVENT_TIMEOUT_MS = 5000;
/** First byte of an answer; behind it the process that has the link. */
const HANDED_OVER = 1;
const NOT_LINKED = Uint8Array.of(0);

/** The content of an event; its number is put in here. */
export type DeviceEvent = Omit<MessageInput<'symmetra.link.v1.DeviceEvent'>, 'number'>;

export interface EventSenderParts {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly sessions: SessionTable;
  readonly presences: Presences;
  readonly links: LinkTable;
  readonly siblings: Siblings;
}

/** Seals events to devices and brings them to the devices' home nodes (SES-6). */
export class EventSender {
  readonly #parts: EventSenderParts;
  readonly #handedOver: Uint8Array;
  readonly #nudges: Nudges;

  constructor(parts: EventSenderParts) {
    this.#parts = parts;
    const { bus, clock, presences } = parts;
    this.#nudges = new Nudges({ clock, presences, nudge: async (presence) => this.#nudge(presence) });
    this.#handedOver = concat(Uint8Array.of(HANDED_OVER), Buffer.from(bus.instance, 'hex'));
    bus.serve(EVENT_SUBJECT, async (from, payload) => this.#pass(from, payload));
    bus.serve(SEND_SUBJECT, async (from, payload) => this.#sendFor(from, payload));
  }

  /** Nothing is tried again from now on. */
  stop(): void {
    this.#nudges.stop();
  }

  /**
   * Sends an event to a device that is attached. What is lost on the way the device finds out by its number.
   * @returns whether it was sent; without a wait at a node of one process
   */
  send(deviceHex: string, event: DeviceEvent): boolean | Promise<boolean> {
    const { presences, siblings } = this.#parts;
    if (!siblings.isShared) return this.sendHere(deviceHex, event);
    // The caller may erase what the event holds as soon as this returns.
    const plaintext = encode('symmetra.link.v1.DeviceEvent', { number: 0, ...event });
    return this.#sendWhere(deviceHex, presences.find(deviceHex), plaintext);
  }

  /** Sends an event to a device that is attached in a session of this process. @returns whether it was sent */
  sendHere(deviceHex: string, event: DeviceEvent): boolean {
    const presence = this.#parts.presences.here(deviceHex);
    if (presence === undefined) return false;
    const sealed = this.#seal(presence, event);
    return sealed !== undefined && this.#carry(presence, sealed);
  }

  /**
   * There is something for a device that could not be read, or not be made: wherever it is attached, it is behind from now
   * on (SES-7). Never fails.
   */
  async owe(deviceHex: string): Promise<void> {
    const { presences, siblings } = this.#parts;
    const presence = presences.here(deviceHex);
    if (presence !== undefined) presence.session.nextEvent();
    else if (siblings.isShared) await presences.owe(deviceHex);
  }

  /** Has the process that has the device's session send it. */
  async #sendWhere(
    deviceHex: string,
    finding: Whereabouts | undefined | Promise<Whereabouts | undefined>,
    plaintext: Uint8Array,
  ): Promise<boolean> {
    const { bus, logger, presences, siblings } = this.#parts;
    let where: Whereabouts | undefined;
    try {
      where = await finding;
      if (where === undefined) return false;
      if (where.process === bus.instance) return this.#sendEncoded(deviceHex, plaintext);
      const payload = concat(Buffer.from(deviceHex, 'hex'), plaintext);
      const [sent] = await siblings
        .request(where.process, SEND_SUBJECT, payload)
        .finally(() => payload.fill(0));
      return sent === HANDED_OVER;
    } catch (error) {
      const isGone = error instanceof SymmetraError && error.code === 'INSTANCE_GONE';
      if (where !== undefined && isGone) await presences.lose(deviceHex, where.process);
      else await presences.owe(deviceHex, where?.process);
      logger.debug({ err: error }, 'An event did not reach the process that has the session.');
      return false;
    } finally {
      plaintext.fill(0);
    }
  }

  #sendEncoded(deviceHex: string, plaintext: Uint8Array): boolean {
    const { number: _unset, ...event } = decode('symmetra.link.v1.DeviceEvent', plaintext);
    return this.sendHere(deviceHex, event);
  }

  /** Another process of this node has an event for a session of this one. @throws WRONG_NODE */
  #sendFor(from: string, payload: Uint8Array): Uint8Array {
    if (from !== this.#parts.bus.self) {
      throw new SymmetraError('WRONG_NODE', 'only a process of the same node has events sealed');
    }
    const deviceHex = hexOf(payload.subarray(0, DEVICE_ID_LENGTH));
    const plaintext = payload.subarray(DEVICE_ID_LENGTH);
    try {
      return this.#sendEncoded(deviceHex, plaintext) ? this.#handedOver : NOT_LINKED;
    } finally {
      plaintext.fill(0);
    }
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
    const { session, home, linkAt = bus.instance } = presence;
    if (home === bus.self && linkAt === bus.instance) {
      const handedOver = links.of(session.deviceHex)?.sendEvent(event) ?? false;
      if (!handedOver) this.#parts.presences.refute(presence);
      return handedOver;
    }
    void this.#carryOrNudge(presence, event);
    return true;
  }

  async #carryOrNudge(presence: Presence, event: LinkEvent): Promise<void> {
    const carried = await this.#carryOverBus(presence, event);
    if (carried === 'unreached') this.#nudges.begin(presence);
  }

  async #nudge(presence: Presence): Promise<Carried> {
    const sealed = this.#seal(presence, {});
    return sealed === undefined ? 'not linked' : this.#carryOverBus(presence, sealed);
  }

  /** Never fails. A home that says that it has no link of the device ends what is known of it. */
  async #carryOverBus(presence: Presence, event: LinkEvent): Promise<Carried> {
    const { bus, logger, presences } = this.#parts;
    const { session, home, linkAt } = presence;
    const payload = concat(session.deviceId, encode('symmetra.link.v1.Event', event));
    try {
      const options = { timeoutMs: EVENT_TIMEOUT_MS, ...(linkAt !== undefined && { instance: linkAt }) };
      const reply = await bus.request(home, EVENT_SUBJECT, payload, options);
      if (reply[0] !== HANDED_OVER) {
        presences.refute(presence);
        return 'not linked';
      }
      if (linkAt === undefined && reply.length > 1) presence.linkAt = hexOf(reply.subarray(1));
      return 'handed over';
    } catch (error) {
      const isGone = error instanceof SymmetraError && error.code === 'INSTANCE_GONE';
      if (isGone && linkAt !== undefined && home !== bus.self) {
        // The device may have its link at another process of its home by now.
        presence.linkAt = undefined;
        return this.#carryOverBus(presence, event);
      }
      logger.debug({ home, device: session.device, err: error }, 'An event did not reach the home node.');
      return 'unreached';
    }
  }

  /** As home node: passes on an event of another node, without being able to read it. @throws WRONG_NODE */
  async #pass(from: string, payload: Uint8Array): Promise<Uint8Array> {
    const { bus, links, siblings } = this.#parts;
    const deviceHex = hexOf(payload.subarray(0, DEVICE_ID_LENGTH));
    const event = decode('symmetra.link.v1.Event', payload.subarray(DEVICE_ID_LENGTH));
    const isOwn = from === bus.self;
    if (event.node !== from && !isOwn) {
      throw new SymmetraError('WRONG_NODE', 'the event is of another node than its sender');
    }
    // The answer that binds a link may still be on its way through this process.
    if (siblings.isShared && links.of(deviceHex) === undefined) await nextTurn();
    const link = links.of(deviceHex);
    if (link !== undefined) return link.sendEvent(event) ? this.#handedOver : NOT_LINKED;
    return isOwn || !siblings.isShared ? NOT_LINKED : this.#passOn(deviceHex, payload);
  }

  /** The link is at another process of this node. */
  async #passOn(deviceHex: string, payload: Uint8Array): Promise<Uint8Array> {
    const { bus, presences, siblings } = this.#parts;
    const where = await presences.find(deviceHex);
    const { linkAt } = where?.home === bus.self ? where : {};
    if (linkAt === undefined || linkAt === bus.instance) return NOT_LINKED;
    return siblings.request(linkAt, EVENT_SUBJECT, payload);
  }
}
