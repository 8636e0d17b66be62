import { equalConstantTime, toBase32, toHex } from '@symmetra/crypto';
import { inspectGroupMessage } from '@symmetra/protocol';
import type { BelievedDue, HeldEpoch, ProtocolContext } from '@symmetra/protocol';
import type { Message } from '@symmetra/rpc';
import type { Logger } from '@symmetra/runtime';
import { codeOf } from '../failure.js';
import type { Descriptors } from '../network/descriptors.js';
import type { NodeClock } from '../network/node-clock.js';
import type { Policies } from '../network/policies.js';
import type { DeviceRandomness } from '../randomness.js';
import type { Connection } from '../session/connection.js';
import type { BroadcastFrame } from '../session/home-link.js';
import type { DeviceState } from '../state/device-state.js';
import type { Timers } from '../timers.js';
import { Confirmations } from './confirmations.js';
import { Dealing } from './dealing.js';
import { GroupDeliveries } from './deliveries.js';
import { EarlyMessages } from './early-messages.js';
import type { EpochName, GroupDueInfo, GroupEnding, GroupInfo, GroupMessage } from './group-info.js';
import { GroupSchedule } from './group-schedule.js';
import { GroupStore, endMs } from './group-store.js';
import { Leaves } from './leaves.js';
import { GroupMessages, MAX_SENT } from './messages.js';

/** What a message meets whose epoch is on its way. */
const EARLY = new Set(['GROUP_EPOCH_UNKNOWN', 'GROUP_UNKNOWN', 'GROUP_EXPIRED']);
const NOTHING = new Uint8Array(0);

/** What groups tell. */
export interface GroupListener {
  group(info: GroupInfo): void;
  groupMessage(message: GroupMessage): void;
  groupDue(due: GroupDueInfo): void;
  groupEnded(ending: GroupEnding): void;
  failure(error: unknown): void;
}

/** What groups need. */
export interface GroupsParts {
  readonly context: ProtocolContext;
  readonly deviceId: Uint8Array;
  readonly state: DeviceState;
  readonly descriptors: Descriptors;
  readonly policies: Policies;
  readonly nodeClock: NodeClock;
  readonly random: DeviceRandomness;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly connection: () => Connection;
  readonly listener: GroupListener;
}

/** The groups of this device: what nodes bring, what is dealt, sealed and opened. */
export class Groups {
  readonly store: GroupStore;
  readonly dealing: Dealing;
  readonly messages: GroupMessages;
  readonly #parts: GroupsParts;
  readonly #deliveries: GroupDeliveries;
  readonly #schedule: GroupSchedule;
  readonly #early: EarlyMessages;
  readonly #leaves: Leaves;
  #bound = false;
  #closed = false;

  private constructor(parts: GroupsParts, store: GroupStore, messages: GroupMessages) {
    this.#parts = parts;
    this.store = store;
    this.messages = messages;
    const { listener, timers } = parts;
    const onFailure = (error: unknown): void => {
      if (!this.#closed) listener.failure(error);
    };
    const onGone = (name: string): void => void this.#end(name, 'removed').catch(onFailure);
    this.dealing = new Dealing({ ...parts, store, onGone, onFailure });
    this.#schedule = new GroupSchedule({ ...parts, store, messages, dealing: this.dealing, onFailure });
    this.#leaves = new Leaves(parts);
    this.#early = new EarlyMessages(() => timers.monotonic());
    this.#deliveries = new GroupDeliveries({
      ...parts,
      store,
      confirmations: new Confirmations(parts),
      listener: {
        epoch: (name, epoch) => this.#onEpoch(name, epoch),
        due: (name, due) => this.#onDue(name, due),
        out: onGone,
        failure: onFailure,
      },
    });
  }

  static async load(parts: GroupsParts): Promise<Groups> {
    const store = await GroupStore.load(parts);
    const messages = await GroupMessages.load({
      ...parts,
      store,
      onUse: (epoch, counter) => groups.#schedule.used(epoch, counter),
    });
    const groups: Groups = new Groups(parts, store, messages);
    return groups;
  }

  /** CTL-2: epochs under an older descriptor are to be followed by others. */
  descriptorChanged(): void {
    this.#schedule.kick();
  }

  /** GRP-8: a welcome in this device's session with a node. */
  welcome(nodeId: string, message: Message<'symmetra.group.v1.Welcome'>): void {
    void this.#deliveries.welcome(nodeId, message);
  }

  /** GRP-7, GRP-10: what the home passes on of what nodes signed. */
  broadcast(frame: BroadcastFrame): void {
    void this.#deliveries.broadcast(frame);
  }

  /** GRP-12: a message that the home passes on. */
  groupMessage(message: Uint8Array): void {
    if (message.length <= MAX_SENT) void this.#open(Uint8Array.from(message));
  }

  /** A home was found. The first time, what an earlier process left undone goes on. */
  bound(): void {
    if (this.#bound) return;
    this.#bound = true;
    for (const resumed of [this.dealing.resume(), this.#leaves.resume()]) {
      resumed.catch((error: unknown) => this.#parts.listener.failure(error));
    }
    this.#schedule.start();
  }

  /**
   * GRP-10: leaves a group at its nodes, and erases it here; nodes that are away are told later.
   * @throws GROUP_UNKNOWN, why too few nodes took it
   */
  async leave(name: string): Promise<void> {
    await this.#leaves.begin(name, this.store.last(name));
    await this.#end(name, 'left');
  }

  /** CTL-4: this device is revoked: everything is erased. */
  async revoked(): Promise<void> {
    for (const name of this.store.names()) await this.#end(name, 'revoked');
  }

  /** What may be shown of a group. @throws GROUP_UNKNOWN, GROUP_EXPIRED */
  info(name: string): GroupInfo {
    const { store } = this;
    const newest = store.held(name);
    const { header, fingerprint } = newest;
    return {
      groupId: name,
      ...epochName(newest),
      members: header.members,
      fingerprint: toHex(fingerprint),
      manager: header.managers.some((id) => equalConstantTime(id, this.#parts.deviceId)),
      purpose: header.purpose,
      suite: header.suiteId,
      notAfter: new Date(endMs(newest)).toISOString(),
      accepted: store.accepted(name).map(epochName),
      suspended: store.isSuspended(name),
    };
  }

  /** Stores what is not stored yet, and forgets the secrets. */
  async close(): Promise<void> {
    this.#closed = true;
    try {
      await this.messages.close();
    } catch (error) {
      // As after a crash: counters are skipped and messages refused rather than used or taken twice.
      this.#parts.logger.warn({ code: codeOf(error) }, 'Counters of groups could not be stored.');
    }
    await this.store.close();
  }

  #onEpoch(name: string, epoch: HeldEpoch): void {
    this.#schedule.kick();
    this.#leaves.held(name, epoch.header).catch((error: unknown) => this.#parts.listener.failure(error));
    if (this.store.newest(name) === epoch) this.#parts.listener.group(this.info(name));
    for (const message of this.#early.take(name)) void this.#open(message);
  }

  #onDue(name: string, { epochId, reason, out }: BelievedDue): void {
    this.#schedule.kick();
    this.#parts.listener.groupDue({
      groupId: name,
      epochId: toHex(epochId),
      reason,
      out: out.map(toBase32),
    });
  }

  /** One that overtook its epoch is tried again with that; others that do not open are dropped. */
  async #open(message: Uint8Array): Promise<void> {
    const { deviceId, listener, logger } = this.#parts;
    try {
      const opened = await this.messages.open(message, NOTHING);
      if (opened.sender !== toBase32(deviceId)) listener.groupMessage(opened);
    } catch (error) {
      const code = codeOf(error);
      if (EARLY.has(code)) this.#hold(message);
      else if (code === 'DISK_FULL') listener.failure(error);
      else logger.debug({ code }, 'A group message was dropped.');
    }
  }

  #hold(message: Uint8Array): void {
    const name = toHex(inspectGroupMessage(message).groupId);
    if (this.store.has(name)) this.#early.hold(name, message);
  }

  /** Erases a group, and what hangs on it. */
  async #end(name: string, reason: GroupEnding['reason']): Promise<void> {
    await this.store.erase(name);
    await this.dealing.forget(name);
    await this.messages.sweep();
    this.#parts.logger.info({ group: name, reason }, 'A group is over for this device.');
    this.#parts.listener.groupEnded({ groupId: name, reason });
  }
}

/** Number and id of an epoch, as they are shown. */
export function epochName({ header, epochId }: HeldEpoch): EpochName {
  return { epoch: header.epoch, epochId: toHex(epochId) };
}
