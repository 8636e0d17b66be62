import type { LinkStream } from '@symmetra/rpc';
import type { LinkTable } from '../link/link-table.js';

/** Which devices that are at home here listen to which groups: those that have a link now. As bounded as the links. */
export class Audience {
  readonly #links: LinkTable;
  /** By group: the link of each device; one that another link replaced meanwhile takes nothing. */
  readonly #listeners = new Map<string, Map<string, LinkStream>>();
  /** By device: groups. */
  readonly #groups = new Map<string, Set<string>>();

  constructor(links: LinkTable) {
    this.#links = links;
    links.onUnbound((deviceHex) => this.#forget(deviceHex));
  }

  /** A device is a member of a group; it listens if it has a link. */
  add(groupHex: string, deviceHex: string): void {
    const link = this.#links.of(deviceHex);
    if (link === undefined) return;
    const listeners = this.#listeners.get(groupHex) ?? new Map<string, LinkStream>();
    this.#listeners.set(groupHex, listeners.set(deviceHex, link));
    const groups = this.#groups.get(deviceHex) ?? new Set<string>();
    this.#groups.set(deviceHex, groups.add(groupHex));
  }

  /** A device is no member any more. */
  remove(groupHex: string, deviceHex: string): void {
    this.#leave(groupHex, deviceHex);
    const groups = this.#groups.get(deviceHex);
    groups?.delete(groupHex);
    if (groups?.size === 0) this.#groups.delete(deviceHex);
  }

  /** Gives an encoded frame to all that listen to a group, but one. @returns how many links took it. */
  send(groupHex: string, frame: Uint8Array, exceptHex?: string): number {
    let taken = 0;
    this.#listeners.get(groupHex)?.forEach((link, deviceHex) => {
      // Without an exception no id is looked at: thousands of them are not in the processor's caches.
      const isMeant = exceptHex === undefined || deviceHex !== exceptHex;
      if (isMeant && link.sendEncoded(frame)) taken += 1;
    });
    return taken;
  }

  /** Gives an encoded frame to one device, if it has a link here. */
  sendTo(deviceHex: string, frame: Uint8Array): boolean {
    return this.#links.of(deviceHex)?.sendEncoded(frame) ?? false;
  }

  #forget(deviceHex: string): void {
    for (const groupHex of this.#groups.get(deviceHex) ?? []) this.#leave(groupHex, deviceHex);
    this.#groups.delete(deviceHex);
  }

  #leave(groupHex: string, deviceHex: string): void {
    const listeners = this.#listeners.get(groupHex);
    listeners?.delete(deviceHex);
    if (listeners?.size === 0) this.#listeners.delete(groupHex);
  }
}
