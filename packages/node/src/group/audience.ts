import type { LinkTable } from '../link/link-table.js';

/** Which devices that are at home here listen to which groups: those that have a link now. As bounded as the links. */
export class Audience {
  readonly #links: LinkTable;
  /** By group: devices. */
  readonly #listeners = new Map<string, Set<string>>();
  /** By device: groups. */
  readonly #groups = new Map<string, Set<string>>();

  constructor(links: LinkTable) {
    this.#links = links;
    links.onUnbound((deviceHex) => this.#forget(deviceHex));
  }

  /** A device is a member of a group; it listens if it has a link. */
  add(groupHex: string, deviceHex: string): void {
    if (this.#links.of(deviceHex) === undefined) return;
    put(this.#listeners, groupHex, deviceHex);
    put(this.#groups, deviceHex, groupHex);
  }

  /** A device is no member any more. */
  remove(groupHex: string, deviceHex: string): void {
    take(this.#listeners, groupHex, deviceHex);
    take(this.#groups, deviceHex, groupHex);
  }

  /** Gives an encoded frame to all that listen to a group, but one. @returns how many links took it. */
  send(groupHex: string, frame: Uint8Array, exceptHex?: string): number {
    let taken = 0;
    for (const deviceHex of this.#listeners.get(groupHex) ?? []) {
      if (deviceHex !== exceptHex && this.sendTo(deviceHex, frame)) taken += 1;
    }
    return taken;
  }

  /** Gives an encoded frame to one device, if it has a link here. */
  sendTo(deviceHex: string, frame: Uint8Array): boolean {
    return this.#links.of(deviceHex)?.sendEncoded(frame) ?? false;
  }

  #forget(deviceHex: string): void {
    for (const groupHex of this.#groups.get(deviceHex) ?? []) take(this.#listeners, groupHex, deviceHex);
    this.#groups.delete(deviceHex);
  }
}

function put(index: Map<string, Set<string>>, key: string, member: string): void {
  const members = index.get(key) ?? new Set();
  index.set(key, members.add(member));
}

function take(index: Map<string, Set<string>>, key: string, member: string): void {
  const members = index.get(key);
  members?.delete(member);
  if (members?.size === 0) index.delete(key);
}
