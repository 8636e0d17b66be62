import type { Session } from './session-table.js';

/** Where a device said that it is, in a sealed call to this node (SES-7). */
export interface Presence {
  /** Events are sealed in this session. */
  readonly session: Session;
  /** The device's home node. */
  readonly home: string;
  /** Addresses host:port at which the device may be reached directly. */
  readonly addresses: readonly string[];
}

/** What of a presence other devices are told. */
export interface PublicPresence {
  readonly online: boolean;
  readonly addresses: string[];
}

/** Which devices are attached, as far as this node knows. As bounded as the sessions that it hangs on. */
export class PresenceTable {
  readonly #presences = new Map<string, Presence>();

  attach(presence: Presence): void {
    this.#presences.set(presence.session.deviceHex, presence);
  }

  of(deviceHex: string): Presence | undefined {
    return this.#presences.get(deviceHex);
  }

  publicOf(deviceHex: string): PublicPresence {
    const presence = this.#presences.get(deviceHex);
    return {
      online: presence !== undefined,
      addresses: presence === undefined ? [] : [...presence.addresses],
    };
  }

  /** Forgets where a device is, unless it attached with another session by now. */
  forget(session: Session): void {
    if (this.#presences.get(session.deviceHex)?.session === session) {
      this.#presences.delete(session.deviceHex);
    }
  }

  /** Forgets that a device is attached here. */
  leave(deviceHex: string, home: string): void {
    if (this.#presences.get(deviceHex)?.home === home) this.#presences.delete(deviceHex);
  }

  /** The devices that are attached now. */
  devices(): readonly string[] {
    return [...this.#presences.keys()];
  }
}
