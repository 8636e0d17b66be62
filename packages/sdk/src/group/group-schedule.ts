import { equalConstantTime, fromHex } from '@symmetra/crypto';
import { dealDelayMs } from '@symmetra/protocol';
import type { HeldEpoch } from '@symmetra/protocol';
import type { Timer } from '@symmetra/runtime';
import type { Descriptors } from '../network/descriptors.js';
import type { NodeClock } from '../network/node-clock.js';
import type { Policies } from '../network/policies.js';
import type { Timers } from '../timers.js';
import type { Dealing } from './dealing.js';
import type { GroupStore } from './group-store.js';
import type { GroupMessages } from './messages.js';
import { nameOf } from './sender-counters.js';

const MIN_PAUSE_MS = 50;
/** The clock of the nodes may turn out to be another one meanwhile, and one node may have spoken of a group. */
const MAX_PAUSE_MS = 5 * 60_000;
/** When an epoch is dealt again that did not come about, and all is looked at again that failed. */
const RETRY_MS = 10_000;
/** When a group is tried again of which every epoch's time was over. */
const LOST_RETRY_MS = 60_000;
const LATER_MANAGER_SHARE = 1 / 32;

/** What the schedule needs. */
export interface GroupScheduleParts {
  readonly deviceId: Uint8Array;
  readonly store: GroupStore;
  readonly messages: Pick<GroupMessages, 'sweep'>;
  readonly dealing: Pick<Dealing, 'follow'>;
  readonly nodeClock: Pick<NodeClock, 'now'>;
  readonly policies: Pick<Policies, 'current'>;
  readonly descriptors: Pick<Descriptors, 'current'>;
  readonly timers: Timers;
  readonly onFailure: (error: unknown) => void;
}

/** GRP-10: deals epochs that are due at this device, and erases those that are over. */
export class GroupSchedule {
  readonly #parts: GroupScheduleParts;
  /** When half the uses of an epoch were seen to be gone, node time. */
  readonly #halfUsed = new Map<string, number>();
  /** What was begun last in a group, and when it is tried again, node time. */
  readonly #begun = new Map<string, { readonly cause: string; readonly againMs: number }>();
  /** The descriptor that was seen last, and since when, node time. */
  #descriptor = { version: 0, sinceMs: 0 };
  #timer: Timer | undefined;
  #started = false;
  #running = false;
  #again = false;

  constructor(parts: GroupScheduleParts) {
    this.#parts = parts;
  }

  /** The device is connected; nothing is dealt before. */
  start(): void {
    this.#started = true;
    this.kick();
  }

  /** A member used this counter under an epoch. */
  used(epoch: HeldEpoch, counter: number): void {
    const { uses } = epoch.header.limits;
    if (uses === 0 || counter + 1 < uses / 2 || this.#halfUsed.has(nameOf(epoch))) return;
    this.#halfUsed.set(nameOf(epoch), this.#parts.nodeClock.now());
    this.kick();
  }

  /** Looks at all groups now. */
  kick(): void {
    if (!this.#started) return;
    if (this.#running) {
      this.#again = true;
      return;
    }
    this.#running = true;
    this.#timer?.cancel();
    this.#look()
      .catch((error: unknown) => {
        this.#parts.onFailure(error);
        return this.#parts.nodeClock.now() + RETRY_MS;
      })
      .then((dueMs) => this.#arm(dueMs))
      .catch((error: unknown) => this.#parts.onFailure(error));
  }

  #arm(dueMs: number): void {
    const { nodeClock, timers } = this.#parts;
    this.#running = false;
    const pause = this.#again ? 0 : dueMs - nodeClock.now();
    this.#again = false;
    this.#timer = timers.set(Math.min(MAX_PAUSE_MS, Math.max(MIN_PAUSE_MS, pause)), () => this.kick());
  }

  /** @returns when to look again, node time */
  async #look(): Promise<number> {
    const { store, messages, dealing, nodeClock } = this.#parts;
    const nextEnd = await store.sweep();
    await messages.sweep();
    const now = nodeClock.now();
    const { version } = this.#parts.descriptors.current;
    if (version !== this.#descriptor.version) this.#descriptor = { version, sinceMs: now };
    const dues = store.names().map((name) => {
      const epoch = Math.max(store.lastEpoch(name), store.due(name)?.epoch ?? 0);
      const cause = `${epoch} ${store.due(name)?.out.length ?? 0}`;
      const begun = this.#begun.get(name);
      const due = Math.max(this.#dueMs(name), begun?.cause === cause ? begun.againMs : 0);
      if (due > now) return due;
      const againMs = now + (store.newest(name) === undefined ? LOST_RETRY_MS : RETRY_MS);
      this.#begun.set(name, { cause, againMs });
      dealing.follow(fromHex(name), epoch);
      return againMs;
    });
    this.#forget();
    return Math.min(nextEnd, ...dues);
  }

  /** When this device deals the next epoch of a group, node time. */
  #dueMs(name: string): number {
    const { store, deviceId } = this.#parts;
    const due = store.due(name);
    const turnMs = due?.turn === undefined ? Infinity : due.sinceMs + dealDelayMs(due.turn, this.#boundMs);
    const epoch = store.newest(name);
    // The time of all epochs was over: whether this device is a manager, the nodes know.
    if (epoch === undefined) return store.lastEpoch(name) > 0 ? 0 : turnMs;
    const { managers, limits } = epoch.header;
    const place = managers.findIndex((id) => equalConstantTime(id, deviceId));
    if (place === -1) return turnMs;
    const lifetimeMs = limits.lifetimeSeconds * 1000;
    const oldMs = epoch.receivedMs + lifetimeMs * (1 / 2 + place * LATER_MANAGER_SHARE);
    const halfUsedMs = this.#halfUsed.get(nameOf(epoch)) ?? Infinity;
    const turn = { place, of: managers.length };
    const usedMs = halfUsedMs + dealDelayMs(turn, this.#boundMs);
    return Math.min(turnMs, oldMs, usedMs, this.#descriptorMs(epoch) + dealDelayMs(turn, this.#boundMs));
  }

  /** CTL-2: when an epoch under an older descriptor is to be followed: nodes that came get to know the members before. */
  #descriptorMs({ header }: HeldEpoch): number {
    const { version, sinceMs } = this.#descriptor;
    return header.descriptorVersion < version ? sinceMs + this.#boundMs : Infinity;
  }

  get #boundMs(): number {
    return this.#parts.policies.current.groupBoundSeconds * 1000;
  }

  #forget(): void {
    const { store } = this.#parts;
    for (const name of this.#halfUsed.keys()) if (!store.holds(name)) this.#halfUsed.delete(name);
    for (const name of this.#begun.keys()) if (!store.has(name)) this.#begun.delete(name);
  }
}
