import { SymmetraError, toHex } from '@symmetra/crypto';
import {
  acceptedEpochs,
  believedDue,
  endEpochs,
  memberSecrets,
  newMember,
  sendingEpoch,
} from '@symmetra/protocol';
import type { BelievedDue, HeldEpoch, MemberGroup, MemberOutput, MemberStep } from '@symmetra/protocol';
import { Lane } from '../lane.js';
import type { Descriptors } from '../network/descriptors.js';
import type { NodeClock } from '../network/node-clock.js';
import type { Policies } from '../network/policies.js';
import { Waiters } from '../session/waiters.js';
import type { DeviceState } from '../state/device-state.js';
import { deviceClosed } from '../timers.js';
import { groupUnknown } from './group-options.js';
import { hearsayEndMs, isHearsay, tooMuchHearsay } from './hearsay.js';

const PREFIX = 'group/';
/** Groups of which the device has no key yet; what is pushed out here, the nodes bring again. */
const MAX_WITHOUT_KEY = 64;

/** What the store needs. */
export interface GroupStoreParts {
  readonly state: DeviceState;
  readonly deviceId: Uint8Array;
  readonly nodeClock: Pick<NodeClock, 'now'>;
  readonly descriptors: Pick<Descriptors, 'current'>;
  readonly policies: Pick<Policies, 'current'>;
}

/** GRP-9: what this device holds of its groups. Each step is stored before anything comes of it. */
export class GroupStore {
  readonly #parts: GroupStoreParts;
  readonly #groups = new Map<string, MemberGroup>();
  readonly #lanes = new Map<string, Lane>();
  readonly #waiters = new Map<string, Waiters>();
  #closed = false;

  private constructor(parts: GroupStoreParts) {
    this.#parts = parts;
  }

  static async load(parts: GroupStoreParts): Promise<GroupStore> {
    const store = new GroupStore(parts);
    for (const { name, value } of await parts.state.list<MemberGroup>(PREFIX)) store.#groups.set(name, value);
    return store;
  }

  /** All groups that the device heard of, with a key or without. */
  names(): readonly string[] {
    return [...this.#groups.keys()];
  }

  /** Whether the device knows the group, with a key or without. */
  has(name: string): boolean {
    return this.#groups.has(name);
  }

  /** Number of the newest epoch that was ever held; 0 for none. */
  lastEpoch(name: string): number {
    return this.#groups.get(name)?.newest?.epoch ?? 0;
  }

  /** Number, threshold and nodes of the newest epoch that was ever held. @throws GROUP_UNKNOWN */
  last(name: string): NonNullable<MemberGroup['newest']> {
    const newest = this.#groups.get(name)?.newest;
    if (newest === undefined || newest.epoch === 0) throw groupUnknown(name);
    return newest;
  }

  /** The newest epoch that is held. */
  newest(name: string): HeldEpoch | undefined {
    return this.#groups.get(name)?.epochs[0];
  }

  /** The newest epoch that is held. @throws GROUP_UNKNOWN, GROUP_EXPIRED when the time of all was over */
  held(name: string): HeldEpoch {
    const newest = this.newest(name);
    if (newest !== undefined) return newest;
    const { epoch } = this.last(name);
    throw new SymmetraError('GROUP_EXPIRED', "the time of the group's newest epoch is over", {
      groupId: name,
      epoch,
    });
  }

  /** Whether an epoch is held; group and epoch id as rows are named. */
  holds(row: string): boolean {
    const [name = '', epochId] = row.split('/');
    return this.epochs(name).some((epoch) => toHex(epoch.epochId) === epochId);
  }

  /** Every epoch that is held, whether its time is over or not. */
  epochs(name: string): readonly HeldEpoch[] {
    return this.#groups.get(name)?.epochs ?? [];
  }

  /** GRP-9: the epochs under which messages are taken, newest first. */
  accepted(name: string): readonly HeldEpoch[] {
    return acceptedEpochs(this.epochs(name), this.#parts.nodeClock.now(), this.#boundMs);
  }

  /** The epoch under which this device sends; undefined while it is held up, or its time is over. */
  sending(name: string): HeldEpoch | undefined {
    const group = this.#groups.get(name);
    return group && sendingEpoch(group, this.#parts.nodeClock.now(), this.#boundMs);
  }

  /** GRP-10: what k nodes say of the newest epoch, when it needs another one. */
  due(name: string): BelievedDue | undefined {
    const group = this.#groups.get(name);
    return group && believedDue(group);
  }

  /** GRP-10: somebody is out, and nothing is sent. */
  isSuspended(name: string): boolean {
    return (this.due(name)?.out.length ?? 0) > 0 && this.sending(name) === undefined;
  }

  /** Fulfilled when the group changes next. */
  async changed(name: string): Promise<void> {
    const waiters = this.#waiters.get(name) ?? new Waiters();
    this.#waiters.set(name, waiters);
    return waiters.wait();
  }

  /**
   * Takes one step; steps of one group follow one another.
   * @throws what the step throws, then nothing changed; DISK_FULL
   */
  async step(groupId: Uint8Array, take: (group: MemberGroup) => MemberStep): Promise<MemberOutput> {
    const name = toHex(groupId);
    const isNew = !this.#groups.has(name);
    const output = await this.#inLane(name, async () => {
      if (this.#closed) throw deviceClosed();
      const before = this.#groups.get(name) ?? this.#newGroup(groupId);
      const { state, output: outcome, consumed } = take(before);
      try {
        await this.#put(name, outcome.kind === 'out' ? undefined : state, before);
      } catch (error) {
        const kept = new Set(memberSecrets(before));
        for (const secret of [...memberSecrets(state), ...consumed]) if (!kept.has(secret)) secret.wipe();
        throw error;
      }
      for (const secret of consumed) secret.wipe();
      if (outcome.kind !== 'nothing') this.#release(name);
      return outcome;
    });
    if (isNew) await this.#makeRoom();
    return output;
  }

  /** Erases the keys of epochs that are over, and what one node alone said. @returns when to do it again, node time */
  async sweep(): Promise<number> {
    const now = this.#parts.nodeClock.now();
    for (const name of this.names()) {
      await this.#eraseIf(name, (group) => isHearsay(group) && hearsayEndMs(group) <= now);
      await this.#inLane(name, async () => {
        const before = this.#groups.get(name);
        if (before === undefined || this.#closed) return;
        const { state, consumed } = endEpochs(before, now, this.#boundMs);
        if (consumed.length === 0) return;
        await this.#put(name, state, before);
        for (const secret of consumed) secret.wipe();
      });
    }
    const all = this.names().map((name) => this.epochs(name));
    const barred = all.some((epochs) => epochs.length > 1) ? now + this.#boundMs : Number.POSITIVE_INFINITY;
    const heard = [...this.#groups.values()].filter(isHearsay).map(hearsayEndMs);
    return Math.min(barred, ...heard, ...all.flat().map(endMs));
  }

  /** Erases a group. */
  async erase(name: string): Promise<void> {
    await this.#eraseIf(name, () => true);
  }

  /** Waits for what is being stored, then forgets the secrets. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(Array.from(this.#lanes.values(), async (lane) => lane.run(async () => undefined)));
    for (const group of this.#groups.values()) for (const secret of memberSecrets(group)) secret.wipe();
    this.#groups.clear();
    for (const waiters of this.#waiters.values()) waiters.release();
  }

  get #boundMs(): number {
    return this.#parts.policies.current.groupBoundSeconds * 1000;
  }

  async #put(name: string, state: MemberGroup | undefined, before: MemberGroup): Promise<void> {
    if (state === before) return;
    await this.#parts.state.commit([{ key: PREFIX + name, value: state ?? null }]);
    if (state === undefined) {
      this.#groups.delete(name);
      return;
    }
    this.#groups.set(name, state);
  }

  #newGroup(groupId: Uint8Array): MemberGroup {
    const { nodes, threshold } = this.#parts.descriptors.current;
    return newMember(groupId, this.#parts.deviceId, { nodes: nodes.map(({ id }) => id), threshold });
  }

  /** Nodes that lie may bring groups that never get a key: the oldest of them go. */
  async #makeRoom(): Promise<void> {
    for (const name of tooMuchHearsay(this.#groups)) await this.#eraseIf(name, isHearsay);
    const without = this.names().filter((name) => this.lastEpoch(name) === 0);
    for (const name of without.slice(0, -MAX_WITHOUT_KEY)) {
      await this.#eraseIf(name, ({ epochs }) => epochs.length === 0);
    }
  }

  /** Erases a group if something is so once its turn comes. */
  async #eraseIf(name: string, isOver: (group: MemberGroup) => boolean): Promise<void> {
    await this.#inLane(name, async () => {
      const before = this.#groups.get(name);
      if (before === undefined || this.#closed || !isOver(before)) return;
      await this.#put(name, undefined, before);
      for (const secret of memberSecrets(before)) secret.wipe();
      this.#release(name);
    });
  }

  #release(name: string): void {
    const waiters = this.#waiters.get(name);
    this.#waiters.delete(name);
    waiters?.release();
  }

  /** Work on one group, after what was begun before. */
  async #inLane<T>(name: string, task: () => Promise<T>): Promise<T> {
    const lane = this.#lanes.get(name) ?? new Lane();
    this.#lanes.set(name, lane);
    try {
      return await lane.run(task);
    } finally {
      if (lane.isIdle && !this.#groups.has(name)) this.#lanes.delete(name);
    }
  }
}

/** When an epoch's lifetime is over, node time. */
export function endMs({ receivedMs, header }: HeldEpoch): number {
  return receivedMs + header.limits.lifetimeSeconds * 1000;
}
