import type { Bus } from '@symmetra/bus';
import { SymmetraError, concat } from '@symmetra/crypto';
import { DEVICE_ID_LENGTH, SHORT_ID_LENGTH } from '@symmetra/protocol';
import type { LinkStream } from '@symmetra/rpc';
import type { LinkTable } from '../link/link-table.js';
import type { Siblings } from '../replicas/siblings.js';
import { hexOf } from '../rows/row-keys.js';

/** Between the processes of one node. */
const SUBJECT = 'group-audience';
const ADD = 1;
const REMOVE = 2;
const DONE = new Uint8Array(0);

export interface AudienceParts {
  readonly bus: Bus;
  readonly links: LinkTable;
  readonly siblings: Siblings;
}

/**
 * Which devices that are at home here listen to which groups: those that have a link at this process now. As bounded as
 * the links.
 */
export class Audience {
  readonly #parts: AudienceParts;
  /** By group: the link of each device; one that another link replaced meanwhile takes nothing. */
  readonly #listeners = new Map<string, Map<string, LinkStream>>();
  /** By device: groups. */
  readonly #groups = new Map<string, Set<string>>();

  constructor(parts: AudienceParts) {
    this.#parts = parts;
    parts.links.onUnbound((deviceHex) => this.#forget(deviceHex));
    parts.bus.serve(SUBJECT, async (from, payload) => this.#receive(from, payload));
  }

  /** Devices are members of a group; those listen that have a link, here or at another process of the node. */
  add(groupHex: string, devices: readonly string[]): void {
    for (const deviceHex of devices) this.#add(groupHex, deviceHex);
    this.#tellSiblings(ADD, groupHex, devices);
  }

  /** Devices are no members any more. */
  remove(groupHex: string, devices: readonly string[]): void {
    for (const deviceHex of devices) this.#remove(groupHex, deviceHex);
    this.#tellSiblings(REMOVE, groupHex, devices);
  }

  #tellSiblings(kind: number, groupHex: string, devices: readonly string[]): void {
    const { siblings } = this.#parts;
    if (siblings.others.length === 0 || devices.length === 0) return;
    const ids = devices.map((deviceHex) => Buffer.from(deviceHex, 'hex'));
    void siblings.tell(SUBJECT, concat(Uint8Array.of(kind), Buffer.from(groupHex, 'hex'), ...ids));
  }

  /** @throws WRONG_NODE */
  #receive(from: string, payload: Uint8Array): Uint8Array {
    if (from !== this.#parts.bus.self) {
      throw new SymmetraError('WRONG_NODE', 'only a process of the same node says who listens');
    }
    const groupHex = hexOf(payload.subarray(1, 1 + SHORT_ID_LENGTH));
    for (let at = 1 + SHORT_ID_LENGTH; at < payload.length; at += DEVICE_ID_LENGTH) {
      const deviceHex = hexOf(payload.subarray(at, at + DEVICE_ID_LENGTH));
      if (payload[0] === ADD) this.#add(groupHex, deviceHex);
      else this.#remove(groupHex, deviceHex);
    }
    return DONE;
  }

  #add(groupHex: string, deviceHex: string): void {
    const link = this.#parts.links.of(deviceHex);
    if (link === undefined) return;
    const listeners = this.#listeners.get(groupHex) ?? new Map<string, LinkStream>();
    this.#listeners.set(groupHex, listeners.set(deviceHex, link));
    const groups = this.#groups.get(deviceHex) ?? new Set<string>();
    this.#groups.set(deviceHex, groups.add(groupHex));
  }

  #remove(groupHex: string, deviceHex: string): void {
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
    return this.#parts.links.of(deviceHex)?.sendEncoded(frame) ?? false;
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
