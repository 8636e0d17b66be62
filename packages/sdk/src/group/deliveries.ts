import { SymmetraError, equalConstantTime, toBase32, toHex, wipe } from '@symmetra/crypto';
import {
  readBroadcast,
  readWelcome,
  receiveDue,
  receiveEpochBroadcast,
  receiveWelcome,
} from '@symmetra/protocol';
import type {
  BelievedDue,
  GroupHeader,
  HeldEpoch,
  MemberOutput,
  ProtocolContext,
  WelcomeFields,
} from '@symmetra/protocol';
import type { Message } from '@symmetra/rpc';
import type { Logger } from '@symmetra/runtime';
import { fractionOf } from '../backoff.js';
import { codeOf, isLocalFailure } from '../failure.js';
import type { Descriptors } from '../network/descriptors.js';
import type { NodeClock } from '../network/node-clock.js';
import type { Policies } from '../network/policies.js';
import type { DeviceRandomness } from '../randomness.js';
import type { Connection } from '../session/connection.js';
import type { BroadcastFrame } from '../session/home-link.js';
import type { Timers } from '../timers.js';
import type { Confirmations } from './confirmations.js';
import type { GroupStore } from './group-store.js';

/** How long after the first delivery of an epoch the nodes are asked again that have not brought it. */
const SILENT_MS = 1000;

/** What deliveries tell. */
interface DeliveryListener {
  /** This device holds another epoch. */
  epoch(groupId: string, epoch: HeldEpoch): void;
  /** k nodes say that the group needs another epoch. */
  due(groupId: string, due: BelievedDue): void;
  /** k nodes say that this device is out; the keys are erased. */
  out(groupId: string): void;
  failure(error: unknown): void;
}

/** What taking deliveries needs. */
export interface GroupDeliveryParts {
  readonly context: ProtocolContext;
  readonly deviceId: Uint8Array;
  readonly store: GroupStore;
  readonly confirmations: Confirmations;
  readonly descriptors: Pick<Descriptors, 'current'>;
  readonly policies: Pick<Policies, 'floors'>;
  readonly nodeClock: Pick<NodeClock, 'now'>;
  readonly connection: () => Pick<Connection, 'suspect'>;
  readonly random: Pick<DeviceRandomness, 'bytes'>;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly listener: DeliveryListener;
}

/** GRP-7, GRP-8, GRP-10: takes what nodes bring for groups; what does not verify is dropped. */
export class GroupDeliveries {
  readonly #parts: GroupDeliveryParts;
  /** The groups of which an epoch is on its way. */
  readonly #expected = new Set<string>();
  /** What was newest when a fork was told. */
  readonly #forked = new WeakSet<object>();

  constructor(parts: GroupDeliveryParts) {
    this.#parts = parts;
  }

  /** GRP-8: the keys of an epoch, in this device's session with a node. */
  async welcome(nodeId: string, message: Message<'symmetra.group.v1.Welcome'>): Promise<void> {
    const { context, deviceId, policies, store, nodeClock } = this.#parts;
    await this.#take(nodeId, async () => {
      const fields: WelcomeFields = {
        header: Uint8Array.from(message.header),
        tag: Uint8Array.from(message.tag),
        share: Uint8Array.from(message.share),
        place: message.place,
        step: message.step,
        pathKeys: Uint8Array.from(message.pathKeys),
      };
      wipe(message.share, message.pathKeys);
      const welcome = readOrWipe(fields, () =>
        readWelcome(context, policies.floors(deviceId), nodeId, fields),
      );
      const { groupId } = welcome.dealt.header;
      const output = await store.step(groupId, (group) =>
        receiveWelcome(context, group, welcome, nodeClock.now()),
      );
      this.#follow(groupId, output);
      this.#expect(welcome.dealt.header);
    });
  }

  /** GRP-7, GRP-10: what a node signed for all members; it may come from anybody. */
  async broadcast({ content, signature }: BroadcastFrame): Promise<void> {
    const { context, deviceId, descriptors, policies, store, nodeClock } = this.#parts;
    await this.#take(undefined, async () => {
      const broadcast = readBroadcast(
        context,
        descriptors.current,
        Uint8Array.from(content),
        Uint8Array.from(signature),
      );
      const groupId = broadcast.kind === 'due' ? broadcast.groupId : broadcast.header.groupId;
      // An epoch may be suspended before this device has its key: then it may be this one's turn to deal.
      const isNamed =
        broadcast.kind === 'due' && broadcast.order.some((id) => equalConstantTime(id, deviceId));
      if (!isNamed && !store.has(toHex(groupId))) return;
      const output = await store.step(groupId, (group) =>
        broadcast.kind === 'due'
          ? receiveDue(group, broadcast, nodeClock.now())
          : receiveEpochBroadcast(context, policies.floors(deviceId), group, broadcast, nodeClock.now()),
      );
      this.#follow(groupId, output);
      if (broadcast.kind === 'epoch') this.#expect(broadcast.header);
    });
  }

  /** An epoch is on its way. The nodes that do not bring it soon may have lost this device's session. */
  #expect({ groupId, epoch, nodes }: GroupHeader): void {
    const { store, connection, timers, random } = this.#parts;
    const name = toHex(groupId);
    if (store.lastEpoch(name) >= epoch || this.#expected.has(name)) return;
    this.#expected.add(name);
    timers.set(SILENT_MS * (1 + fractionOf(random.bytes)), () => {
      this.#expected.delete(name);
      if (store.has(name) && store.lastEpoch(name) < epoch) connection().suspect(nodes);
    });
  }

  #follow(groupId: Uint8Array, output: MemberOutput): void {
    const { confirmations, listener, logger } = this.#parts;
    const name = toHex(groupId);
    switch (output.kind) {
      case 'epoch':
        confirmations.confirm(groupId, output.epoch.epochId, output.confirmTo);
        logger.info(
          { group: name, epoch: output.epoch.header.epoch },
          'The device holds another epoch of a group.',
        );
        listener.epoch(name, output.epoch);
        break;
      case 'held':
        confirmations.confirm(groupId, output.epochId, output.confirmTo);
        break;
      case 'misfit':
        listener.failure(
          new SymmetraError('AUTHENTICATION_FAILED', "a dealer's shares of a group do not fit its tag", {
            groupId: name,
            dealer: toBase32(output.dealer),
          }),
        );
        break;
      case 'fork':
        this.#reportFork(name, output.epoch, output.dealer);
        break;
      case 'out':
        listener.out(name);
        break;
      case 'due':
        listener.due(name, output.due);
        break;
      case 'nothing':
      case 'waiting':
        break;
    }
  }

  /** GRP-9: once for each epoch that is held: every node repeats it, and one that lies makes up more. */
  #reportFork(name: string, epoch: number, dealer: Uint8Array): void {
    const { store, listener } = this.#parts;
    const newest = store.last(name);
    if (this.#forked.has(newest)) return;
    this.#forked.add(newest);
    listener.failure(
      new SymmetraError('GROUP_FORK', 'an epoch was refused: it passes over one that this device held', {
        groupId: name,
        epoch,
        held: newest.epoch,
        dealer: toBase32(dealer),
      }),
    );
  }

  async #take(nodeId: string | undefined, task: () => Promise<void>): Promise<void> {
    const { logger, listener } = this.#parts;
    try {
      await task();
    } catch (error) {
      const code = codeOf(error);
      if (code === 'DEVICE_CLOSED') return;
      if (isLocalFailure(error)) listener.failure(error);
      else logger.warn({ node: nodeId, code }, 'A delivery for a group was dropped.');
    }
  }
}

/** A welcome that is refused leaves nothing behind. */
function readOrWipe<T>({ share, pathKeys }: WelcomeFields, read: () => T): T {
  try {
    return read();
  } catch (error) {
    wipe(share, pathKeys);
    throw error;
  }
}
