import { SymmetraError, equalConstantTime, toBase32, toHex } from '@symmetra/crypto';
import { GUARD_LENGTH, inspectGroupMessage, openGroupMessage, sealGroupMessage } from '@symmetra/protocol';
import type { HeldEpoch, ProtocolContext } from '@symmetra/protocol';
import type { Logger } from '@symmetra/runtime';
import { codeOf } from '../failure.js';
import { Lane } from '../lane.js';
import type { DeviceRandomness } from '../randomness.js';
import type { Connection } from '../session/connection.js';
import type { DeviceState } from '../state/device-state.js';
import type { Timers } from '../timers.js';
import type { EpochName, GroupMessage, GroupSending } from './group-info.js';
import type { GroupStore } from './group-store.js';
import { SenderCounters, nameOf } from './sender-counters.js';
import { GroupWindows } from './group-windows.js';

const SEND = '/symmetra.group.v1.GroupService/Send';
const RENEW = '/symmetra.group.v1.GroupService/Renew';
/** GRP-12: most bytes of a message that nodes pass on. */
export const MAX_SENT = 4096;
/** What a home node says that does not know the group yet, or that the device is at home with it. */
const BEHIND = new Set(['GROUP_UNKNOWN', 'GROUP_NOT_MEMBER', 'NOT_HOME']);
const MAX_SENDINGS = 4;
const SEND_PAUSE_MS = 100;
/** GRP-10: a node heeds one request for another epoch in this part of a lifetime. */
const RENEWALS_PER_LIFETIME = 64;

/** What messages need. */
export interface MessageParts {
  readonly context: ProtocolContext;
  readonly deviceId: Uint8Array;
  readonly state: DeviceState;
  readonly store: GroupStore;
  readonly connection: () => Pick<Connection, 'call' | 'callHome'>;
  readonly random: Pick<DeviceRandomness, 'bytes'>;
  readonly timers: Pick<Timers, 'monotonic' | 'sleep'>;
  readonly logger: Logger;
  /** Somebody used this counter under an epoch. */
  readonly onUse: (epoch: HeldEpoch, counter: number) => void;
}

/** GRP-12: messages to the members of a group, and from them. */
export class GroupMessages {
  readonly #parts: MessageParts;
  readonly #counters: SenderCounters;
  readonly #windows: GroupWindows;
  /** Windows are stored in the order in which they moved. */
  readonly #opening = new Lane();
  /** When another epoch may be asked for again, by the epoch that is used up, monotonic milliseconds. */
  readonly #renewAt = new Map<string, number>();
  /** Nothing is forgotten any more: the store forgets its epochs as it closes. */
  #closed = false;

  private constructor(parts: MessageParts, counters: SenderCounters, windows: GroupWindows) {
    this.#parts = parts;
    this.#counters = counters;
    this.#windows = windows;
  }

  static async load(parts: MessageParts): Promise<GroupMessages> {
    const { state } = parts;
    return new GroupMessages(parts, await SenderCounters.load(state), await GroupWindows.load(state));
  }

  /** Seals a message under the newest epoch. @throws GROUP_UNKNOWN, GROUP_SUSPENDED, GROUP_EXPIRED, GROUP_USED_UP */
  async seal(
    name: string,
    plaintext: Uint8Array,
    aad: Uint8Array,
  ): Promise<EpochName & { readonly message: Uint8Array }> {
    const { context, deviceId, random, onUse } = this.#parts;
    const { epoch, counter } = await this.#counted(name);
    const guard = random.bytes(GUARD_LENGTH);
    const message = sealGroupMessage(context, epoch, { sender: deviceId, counter, guard }, aad, plaintext);
    onUse(epoch, counter);
    return { epoch: epoch.header.epoch, epochId: toHex(epoch.epochId), message };
  }

  /**
   * Opens a message of any of the device's groups, each once.
   * @throws GROUP_UNKNOWN, GROUP_EPOCH_OLD, GROUP_EPOCH_UNKNOWN, MESSAGE_REPLAYED, AUTHENTICATION_FAILED, BAD_ENCODING
   */
  async open(message: Uint8Array, aad: Uint8Array): Promise<GroupMessage> {
    const { context, store, onUse } = this.#parts;
    return this.#opening.run(async () => {
      const name = toHex(inspectGroupMessage(message).groupId);
      const epochs = store.accepted(name);
      const epochOf = (epochId: Uint8Array): HeldEpoch =>
        epochs.find((one) => equalConstantTime(one.epochId, epochId)) as HeldEpoch;
      try {
        const opened = openGroupMessage(context, epochs, (epoch) => this.#windows.of(epoch), message, aad);
        const { epoch, epochId, sender, counter, plaintext, window } = opened;
        if (window !== undefined) await this.#windows.store(epochOf(epochId), sender, window);
        onUse(epochOf(epochId), counter);
        return { groupId: name, epoch, epochId: toHex(epochId), sender: toBase32(sender), plaintext };
      } catch (error) {
        throw codeOf(error) === 'EPOCH_NOT_ACCEPTED' ? this.#notAccepted(name, message) : error;
      }
    });
  }

  /** Has the home node pass a message to the members that are connected. @throws as seal, MESSAGE_TOO_LARGE */
  async send(name: string, plaintext: Uint8Array): Promise<GroupSending> {
    if (plaintext.length > MAX_SENT) throw tooLarge(plaintext.length);
    const { message, ...epoch } = await this.seal(name, plaintext, new Uint8Array(0));
    if (message.length > MAX_SENT) throw tooLarge(plaintext.length);
    return { groupId: name, ...epoch, handedOver: await this.#passOn(message) };
  }

  /** A home node that is a moment behind knows the group a moment later. */
  async #passOn(message: Uint8Array): Promise<number> {
    const { connection, timers } = this.#parts;
    for (let attempt = 1; ; attempt++) {
      try {
        return (await connection().callHome(SEND, { message })).handedOver;
      } catch (error) {
        if (!BEHIND.has(codeOf(error)) || attempt === MAX_SENDINGS) throw error;
        await timers.sleep(SEND_PAUSE_MS * 2 ** attempt);
      }
    }
  }

  /** Forgets what hangs on epochs that are held no more. */
  async sweep(): Promise<void> {
    const isHeld = (name: string): boolean => this.#closed || this.#parts.store.holds(name);
    await this.#counters.keepOnly(isHeld);
    await this.#opening.run(async () => this.#windows.keepOnly(isHeld));
    for (const name of this.#renewAt.keys()) if (!isHeld(name)) this.#renewAt.delete(name);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#counters.close();
    await this.#opening.run(async () => this.#windows.close());
  }

  /** A counter of the epoch under which this device sends, also once that counter is stored. */
  async #counted(name: string): Promise<{ readonly epoch: HeldEpoch; readonly counter: number }> {
    for (;;) {
      const epoch = this.#sending(name);
      const counter = await this.#counters.take(epoch);
      if (counter === undefined) {
        this.#renew(name, epoch);
        const details = { groupId: name, epoch: epoch.header.epoch };
        throw new SymmetraError(
          'GROUP_USED_UP',
          'this device has sent as many messages as the epoch allows',
          details,
        );
      }
      if (this.#sending(name) === epoch) return { epoch, counter };
    }
  }

  #sending(name: string): HeldEpoch {
    const { store } = this.#parts;
    const { epoch } = store.held(name).header;
    const sending = store.sending(name);
    if (sending !== undefined) return sending;
    const details = { groupId: name, epoch };
    throw store.isSuspended(name)
      ? new SymmetraError(
          'GROUP_SUSPENDED',
          'somebody is out of the group; the next epoch is on its way',
          details,
        )
      : new SymmetraError('GROUP_EXPIRED', "the time of the group's newest epoch is over", details);
  }

  /** GRP-10: asks every node for another epoch, as often as nodes heed it. */
  #renew(name: string, epoch: HeldEpoch): void {
    const { connection, timers, logger } = this.#parts;
    const { groupId, nodes, limits } = epoch.header;
    const now = timers.monotonic();
    if (now < (this.#renewAt.get(nameOf(epoch)) ?? 0)) return;
    this.#renewAt.set(nameOf(epoch), now + (limits.lifetimeSeconds * 1000) / RENEWALS_PER_LIFETIME);
    for (const nodeId of nodes) {
      connection()
        .call(nodeId, RENEW, { groupId, epochId: epoch.epochId })
        .catch((error: unknown) => {
          const fields = { node: nodeId, group: name, code: codeOf(error) };
          logger.info(fields, 'A node was not asked for another epoch.');
        });
    }
  }

  #notAccepted(name: string, message: Uint8Array): SymmetraError {
    const newest = this.#parts.store.last(name).epoch;
    const { epoch } = inspectGroupMessage(message);
    const details = { groupId: name, epoch };
    return epoch > newest
      ? new SymmetraError(
          'GROUP_EPOCH_UNKNOWN',
          'the message is of an epoch that this device does not hold yet',
          details,
        )
      : new SymmetraError('GROUP_EPOCH_OLD', 'the message is of an epoch that is over', details);
  }
}

function tooLarge(length: number): SymmetraError {
  return new SymmetraError('MESSAGE_TOO_LARGE', 'nodes pass on messages of at most 4096 bytes, sealed', {
    length,
  });
}
