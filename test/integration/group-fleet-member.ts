import { fromHex, sha256, toHex, utf8 } from '@symmetra/crypto';
import { enrol, openDevice } from '@symmetra/sdk';
import type { Device, GroupInfo, GroupMessage } from '@symmetra/sdk';
import { join } from 'node:path';
import { shortDigest } from './fleet-history.js';
import type { GroupHappening, GroupHistory, Held } from './group-fleet-history.js';
import { codeOf, textOf } from './group-fleet-orders.js';

const CONNECT_PAUSE_MS = 250;

/** Where the members of one process live, and what is written about them. */
export interface Household {
  readonly folder: string;
  readonly history: GroupHistory;
  /** Another process has another one: no two messages of a run are the same. */
  readonly process: string;
}

/** Where a member stands in a group. */
export interface Standing {
  readonly name: string;
  readonly info: GroupInfo;
}

/** One device of the fleet in one process; everything that is seen of it goes into the history. */
export class GroupMember {
  readonly name: string;
  readonly device: Device;
  readonly #household: Household;
  #messages = 0;

  private constructor(household: Household, name: string, device: Device) {
    this.#household = household;
    this.name = name;
    this.device = device;
    this.#listen();
    this.#note({ kind: 'opened-state', id: device.id });
    for (const { groupId } of device.group.list()) this.#noteHoldings(groupId);
  }

  static async enrol(household: Household, name: string, token: string): Promise<GroupMember> {
    const device = await enrol({ token, name, state: join(household.folder, name) });
    return GroupMember.#connected(household, name, device);
  }

  /** The device of an earlier process, which may have been killed. */
  static async open(household: Household, name: string): Promise<GroupMember> {
    return GroupMember.#connected(household, name, await openDevice({ state: join(household.folder, name) }));
  }

  /** A device that somebody else opened, and connects. */
  static of(household: Household, name: string, device: Device): GroupMember {
    return new GroupMember(household, name, device);
  }

  static #connected(household: Household, name: string, device: Device): GroupMember {
    const member = new GroupMember(household, name, device);
    void member.#connect();
    return member;
  }

  get isWhole(): boolean {
    const { home, warnings } = this.device.status();
    return home !== null && warnings.length === 0;
  }

  /** The groups that it holds a key of. */
  standings(): readonly Standing[] {
    return this.device.group.list().map((info) => ({ name: this.name, info }));
  }

  /** Does something with a group, and writes down what came of it. @throws what the device throws */
  async perform<T>(task: string, run: (device: Device) => Promise<T>): Promise<T> {
    try {
      const value = await run(this.device);
      this.#note(task === 'leave' ? { kind: 'left' } : { kind: 'did', task, outcome: 'ok' });
      return value;
    } catch (error) {
      this.#note({ kind: 'did', task, outcome: codeOf(error), detail: textOf(error) });
      throw error;
    }
  }

  /** Has its home node pass a message on. */
  async send(groupId: string): Promise<void> {
    const text = this.#nextText();
    const { epochId } = await this.device.group.send(groupId, utf8(text));
    this.#note({ kind: 'sealed', text, epochId });
  }

  /** Seals a message that others carry. @returns it, in hexadecimal digits */
  async seal(groupId: string): Promise<string> {
    return toHex(await this.device.group.seal(groupId, utf8(this.#nextText())));
  }

  /** Opens a message that somebody carried here. */
  async open(message: string): Promise<void> {
    this.#noteOpened(await this.device.group.open(fromHex(message)));
  }

  /** Writes down what it holds when everything is over. */
  finish(groupId: string): void {
    const { members, epochId } = this.device.group.show(groupId);
    this.#note({ kind: 'final', members, ...this.#held(groupId, epochId) });
  }

  #nextText(): string {
    this.#messages += 1;
    const text = `${this.name} ${this.#household.process} ${this.#messages}`;
    this.#note({ kind: 'sealing', text });
    return text;
  }

  /** Until a home is found; the device stays connected then. */
  async #connect(): Promise<void> {
    for (;;) {
      try {
        await this.device.connect();
        return;
      } catch (error) {
        const code = codeOf(error);
        this.#note({ kind: 'did', task: 'connect', outcome: code, detail: textOf(error) });
        if (code === 'DEVICE_REVOKED') return;
      }
      await new Promise((resolve) => {
        setTimeout(resolve, CONNECT_PAUSE_MS);
      });
    }
  }

  #listen(): void {
    const { device } = this;
    device.on('group', ({ groupId }) => this.#noteHoldings(groupId));
    device.on('groupMessage', (message) => this.#noteOpened(message));
    device.on('groupEnded', ({ reason }) => this.#note({ kind: 'ended', reason }));
    device.on('warning', ({ code, message }) => this.#note({ kind: 'warned', code, detail: message }));
  }

  #noteHoldings(groupId: string): void {
    for (const [place, { epochId }] of this.device.group.show(groupId).accepted.entries()) {
      this.#note({ kind: 'holds', newest: place === 0, ...this.#held(groupId, epochId) });
    }
  }

  #held(groupId: string, epochId: string): Held {
    const { epoch, fingerprint, bytes } = this.device.group.key(groupId, epochId);
    return { epoch, epochId, fingerprint, digest: shortDigest(sha256(bytes)) };
  }

  #noteOpened({ plaintext, sender, epoch, epochId }: GroupMessage): void {
    const text = Buffer.from(plaintext).toString();
    this.#note({ kind: 'opened', text, sender, epoch, epochId });
  }

  #note(seen: GroupHappening): void {
    this.#household.history.note(this.name, seen);
  }
}
