import type { Session } from './session-table.js';

/** Where a device said that it is, in a sealed call to this node (SES-7). */
export interface Presence {
  /** Events are sealed in this session. */
  readonly session: Session;
  /** The device's home node. */
  readonly home: string;
  /** The process of the home node that has the device's link; undefined while it is not known. */
  linkAt: string | undefined;
  /** Addresses host:port at which the device may be reached directly. */
  readonly addresses: readonly string[];
}

/** Which devices are attached in sessions of this process. As bounded as the sessions that it hangs on. */
export class PresenceTable {
  readonly #presences = new Map<string, Presence>();

  attach(presence: Presence): void {
    this.#presences.set(presence.session.deviceHex, presence);
  }

  of(deviceHex: string): Presence | undefined {
    return this.#presences.get(deviceHex);
  }

  /** Forgets where a device is, unless it attached with another session by now. @returns whether it was known */
  forget(session: Session): boolean {
    if (this.#presences.get(session.deviceHex)?.session !== session) return false;
    return this.#presences.delete(session.deviceHex);
  }

  /** Forgets that a device is attached at a home node. @returns whether it was known */
  leave(deviceHex: string, home: string): boolean {
    if (this.#presences.get(deviceHex)?.home !== home) return false;
    return this.#presences.delete(deviceHex);
  }

  /** The devices that are attached now. */
  devices(): readonly string[] {
    return [...this.#presences.keys()];
  }
}
