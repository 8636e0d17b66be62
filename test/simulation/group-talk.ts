import { fromHex, toHex } from '@symmetra/crypto';
import {
  MessageCounter,
  SenderWindows,
  acceptedEpochs,
  messageLimit,
  openGroupMessage,
  sealGroupMessage,
} from '@symmetra/protocol';
import type { HeldEpoch } from '@symmetra/protocol';
import type { SimulatedProcess } from '@symmetra/testing';
import { frame } from './frame.js';
import { BOUND_MS, MS_PER_TICK } from './group-world.js';
import type { GroupWorld } from './group-world.js';
import { deviceIdOfName } from './pair-channel.js';

const NO_AAD = new Uint8Array(0);
const GUARD_BYTES = 4;

/** GRP-12: the messages of one device: counters and windows outlive what the program forgets. */
export class GroupTalk {
  readonly #world: GroupWorld;
  readonly #process: SimulatedProcess;
  readonly #counters = new Map<string, MessageCounter>();
  readonly #windows = new Map<string, SenderWindows>();
  /** The highest counter that was seen, by epoch. */
  readonly #seen = new Map<string, number>();

  constructor(world: GroupWorld, process: SimulatedProcess) {
    this.#world = world;
    this.#process = process;
  }

  /** Says something to all other devices, members or not. @returns false when the uses of the epoch are over */
  say(epoch: HeldEpoch): boolean {
    const id = toHex(epoch.epochId);
    const row = `counter/${id}`;
    const stored = this.#process.get<{ next: number }>(row)?.next ?? 0;
    const counter = this.#counters.get(id) ?? new MessageCounter(stored);
    this.#counters.set(id, counter);
    const taken = counter.take(messageLimit(epoch));
    if (taken === undefined) return false;
    const own = this.#process.name;
    const from = {
      sender: deviceIdOfName(own),
      counter: taken.counter,
      guard: this.#process.random(GUARD_BYTES),
    };
    const plaintext = this.#process.random(8);
    const sealed = sealGroupMessage(this.#world.context, epoch, from, NO_AAD, plaintext);
    const others = this.#world.plan.devices.filter((device) => device !== own);
    const message = frame('message', sealed);
    const sends = others.map((to) => ({ to, frame: message }));
    this.#world.note('message:said');
    this.#world.said.push(sealed);
    if (taken.store === undefined) for (const one of sends) this.#process.send(one.to, one.frame);
    else this.#process.commit({ writes: { [row]: { next: taken.store } }, sends });
    return true;
  }

  hear(epochs: readonly HeldEpoch[], message: Uint8Array): void {
    const { context, ledger } = this.#world;
    const accepted = acceptedEpochs(epochs, this.#process.now * MS_PER_TICK, BOUND_MS);
    const opened = openGroupMessage(context, accepted, (epoch) => this.#windowsOf(epoch), message, NO_AAD);
    const { epochId, counter, window, sender } = opened;
    if (window) {
      this.#process.commit({ writes: { [`window/${toHex(epochId)}/${toHex(sender)}`]: { window } } });
    }
    this.#world.note('message:taken');
    ledger.taken(this.#process.name, this.#world.nameOf(sender), epochId, counter);
    this.#world.heard(this.#process.name, this.#world.nameOf(sender));
    const id = toHex(epochId);
    this.#seen.set(id, Math.max(this.#seen.get(id) ?? 0, counter));
  }

  /** GRP-10: whether a counter of at least half the uses was seen. */
  isHalfUsed({ epochId, header }: HeldEpoch): boolean {
    const { uses } = header.limits;
    return uses > 0 && (this.#seen.get(toHex(epochId)) ?? 0) >= uses / 2;
  }

  #windowsOf({ epochId, header }: HeldEpoch): SenderWindows {
    const id = toHex(epochId);
    const known = this.#windows.get(id);
    if (known !== undefined) return known;
    const windows = new SenderWindows(header.members);
    const prefix = `window/${id}/`;
    for (const name of this.#process.names(prefix)) {
      const row = this.#process.get<{ window: Uint8Array }>(name);
      if (row) windows.restore(fromHex(name.slice(prefix.length)), row.window);
    }
    this.#windows.set(id, windows);
    return windows;
  }

  /** What is written when the device is out. */
  forgotten(): Record<string, undefined> {
    this.#counters.clear();
    this.#windows.clear();
    const names = [...this.#process.names('counter/'), ...this.#process.names('window/')];
    return Object.fromEntries(names.map((name) => [name, undefined]));
  }
}
