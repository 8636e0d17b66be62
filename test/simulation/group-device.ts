import { equalConstantTime } from '@symmetra/crypto';
import {
  believedDue,
  dealDelayMs,
  endEpochs,
  newMember,
  readWelcome,
  receiveDue,
  receiveEpochBroadcast,
  receiveWelcome,
  sendingEpoch,
} from '@symmetra/protocol';
import type { HeldEpoch, MemberGroup, MemberStep, WelcomeFields } from '@symmetra/protocol';
import type { Actor, Boot, SimulatedProcess } from '@symmetra/testing';
import { frame, readFrame, unknownFrame } from './frame.js';
import { GroupDealer } from './group-dealer.js';
import type { Change, DealEnd, RosterReply } from './group-dealer.js';
import { GroupTalk } from './group-talk.js';
import type { Wish } from './group-plan.js';
import { readBroadcastFrame, readSession, sessionFrame } from './group-wire.js';
import { BOUND_MS, MS_PER_TICK } from './group-world.js';
import type { GroupWorld } from './group-world.js';
import { deviceIdOfName } from './pair-channel.js';

export function groupDevice(world: GroupWorld): Boot {
  return (process) => new GroupDevice(world, process);
}

/** GRP-8 to GRP-10: a device of the simulation: a member, and at times a dealer. */
class GroupDevice implements Actor {
  readonly #world: GroupWorld;
  readonly #process: SimulatedProcess;
  readonly #dealer: GroupDealer;
  readonly #talk: GroupTalk;
  readonly #id: Uint8Array;

  constructor(world: GroupWorld, process: SimulatedProcess) {
    this.#world = world;
    this.#process = process;
    this.#dealer = new GroupDealer(world, process);
    this.#talk = new GroupTalk(world, process);
    this.#id = deviceIdOfName(process.name);
  }

  get #state(): MemberGroup | undefined {
    return this.#process.get<MemberGroup>('group');
  }

  get #nowMs(): number {
    return this.#process.now * MS_PER_TICK;
  }

  receive(from: string, bytes: Uint8Array): void {
    if (this.#world.separates(from, this.#process.name)) {
      this.#world.note('apart:device');
      return;
    }
    const { type, body } = readFrame(bytes);
    if (type === 'broadcast') {
      this.#broadcast(body);
      return;
    }
    if (type === 'message') {
      const state = this.#state;
      if (state) this.#talk.hear(state.epochs, body);
      return;
    }
    const read = <Body>(): Body => readSession<Body>(from, this.#process.name, type, body);
    if (type === 'welcome') this.#welcome(from, read<WelcomeFields>());
    else if (type === 'roster') this.#dealer.roster(from, read<RosterReply>());
    else if (type === 'dealt') this.#dealer.approved(from, read<{ dealHash: Uint8Array }>().dealHash);
    else if (type === 'refused') {
      const { dealHash, code, epoch } = read<{ dealHash: Uint8Array; code: string; epoch?: number }>();
      this.#dealer.refused(from, dealHash, code, epoch);
    } else if (type === 'left') read();
    else throw unknownFrame(type);
  }

  #welcome(node: string, fields: WelcomeFields): void {
    const { context, floors, groupId } = this.#world;
    const state = this.#state ?? newMember(groupId, this.#id);
    const welcome = readWelcome(context, floors, node, fields);
    this.#take(state, receiveWelcome(context, state, welcome, this.#nowMs));
  }

  #broadcast(body: Uint8Array): void {
    const { context, floors, signing } = this.#world;
    const broadcast = signing.read(context, readBroadcastFrame(body));
    const isAsked = broadcast.kind === 'due' && broadcast.order.some((id) => equalConstantTime(id, this.#id));
    const state =
      this.#state ?? (isAsked ? newMember(this.#world.groupId, this.#id, this.#world.plan) : undefined);
    if (state === undefined) return;
    if (broadcast.kind === 'due') this.#take(state, receiveDue(state, broadcast, this.#nowMs));
    else this.#take(state, receiveEpochBroadcast(context, floors, state, broadcast, this.#nowMs));
  }

  /** Stores first, confirms second, wipes last. */
  #take(before: MemberGroup, { state, output, consumed }: MemberStep): void {
    this.#world.note(`member:${output.kind}`);
    if (output.kind === 'out') {
      this.#world.left.delete(this.#process.name);
      this.#process.commit({ writes: { group: undefined, ...this.#talk.forgotten() }, wipes: consumed });
      return;
    }
    const confirmed =
      output.kind === 'epoch' ? output.epoch.epochId : output.kind === 'held' && output.epochId;
    const sends =
      confirmed === false || !('confirmTo' in output)
        ? []
        : output.confirmTo.map((to) => ({
            to,
            frame: sessionFrame(this.#process.name, to, 'confirm', { epochId: confirmed }),
          }));
    if (state === before) {
      for (const one of sends) this.#process.send(one.to, one.frame);
      for (const secret of consumed) secret.wipe();
      return;
    }
    this.#process.commit({ writes: { group: state }, sends, wipes: consumed });
  }

  tick(): void {
    this.#hearAgain();
    const state = this.#state;
    if (state !== undefined) this.#live(state);
    const change = this.#change(this.#state);
    const holds = (epochId: Uint8Array): boolean =>
      this.#state?.epochs.some((one) => equalConstantTime(one.epochId, epochId)) ?? false;
    const due = this.#state && believedDue(this.#state);
    const newest = Math.max(this.#state?.newest?.epoch ?? 0, due?.epoch ?? 0);
    const end = this.#dealer.tick(change, newest, holds);
    const [wish] = this.#world.wishes.get(this.#process.name) ?? [];
    if (wish?.kind === 'create' ? newest > 0 : change?.reason === 'wish' && isOver(end)) {
      this.#fulfilled();
    }
  }

  /** Mallory sends this device an old message. */
  #hearAgain(): void {
    const { said, simulation } = this.#world;
    if (said.length === 0 || !simulation.prng.chance(0.1)) return;
    this.#world.note('message:replayed');
    this.#process.send(this.#process.name, frame('message', simulation.prng.pick(said)));
  }

  #live(state: MemberGroup): void {
    const step = endEpochs(state, this.#nowMs, BOUND_MS);
    if (step.state.epochs.length < state.epochs.length) {
      this.#world.note('member:epoch over');
      this.#process.commit({ writes: { group: step.state }, wipes: step.consumed });
    }
    if (this.#isLeaving) {
      for (const node of this.#world.plan.nodes) this.#say(node, 'leave', {});
      return;
    }
    const epoch = sendingEpoch(step.state, this.#nowMs, BOUND_MS);
    if (epoch === undefined || !this.#world.asksToSpeak(this.#process.name)) return;
    if (this.#talk.say(epoch)) this.#world.spoke(this.#process.name);
    else this.#renew(epoch);
  }

  /** GRP-10: the uses are over. */
  #renew({ epochId }: HeldEpoch): void {
    this.#world.note('member:uses over');
    for (const node of this.#world.plan.nodes) this.#say(node, 'renew', { epochId });
  }

  get #isLeaving(): boolean {
    return this.#world.left.has(this.#process.name);
  }

  /** What this device would deal now: what is due first, then its user's wish, then the schedule. */
  #change(state: MemberGroup | undefined): Change | undefined {
    const [wish] = this.#world.wishes.get(this.#process.name) ?? [];
    if (this.#isLeaving) return undefined;
    const newest = state?.newest?.epoch ?? 0;
    const due = state && believedDue(state);
    const isUnheard = newest === 0 && (due === undefined || this.#process.now % 400 < 200);
    if (wish?.kind === 'create' && isUnheard) return this.#first(wish);
    if (state === undefined) return undefined;
    const isDue =
      due?.turn !== undefined &&
      due.epoch >= newest &&
      this.#nowMs >= due.sinceMs + dealDelayMs(due.turn, BOUND_MS);
    const out = due && due.epoch >= newest ? due.out : [];
    const place = due?.turn?.place ?? 0;
    if (isDue) return { reason: 'due', added: [], removed: [], out, place };
    if (newest === 0) return undefined;
    if (wish) return { reason: 'wish', added: wish.added, removed: wish.removed, out, place };
    return this.#scheduled(state) ? { reason: 'schedule', added: [], removed: [], out, place } : undefined;
  }

  #first({ added }: Wish): Change {
    const { left, revoked } = this.#world;
    const wanted = added.filter((device) => !left.has(device) && !revoked.has(device));
    return { reason: 'first', added: wanted, removed: [], out: [], place: 0 };
  }

  /** GRP-10. */
  #scheduled({ epochs: [newest] }: MemberGroup): boolean {
    if (newest === undefined) return false;
    const { managers, limits } = newest.header;
    const place = managers.findIndex((id) => equalConstantTime(id, this.#id));
    if (place >= 0 && this.#talk.isHalfUsed(newest)) return true;
    const lifetime = limits.lifetimeSeconds * 1000;
    const age = this.#nowMs - newest.receivedMs;
    return place >= 0 && age >= lifetime / 2 + (place * lifetime) / 32;
  }

  #fulfilled(): void {
    this.#world.wishes.get(this.#process.name)?.shift();
  }

  #say(to: string, type: string, body: object): void {
    this.#process.send(to, sessionFrame(this.#process.name, to, type, body));
  }

  idle(): boolean {
    return true;
  }
}

function isOver(end: DealEnd | undefined): boolean {
  return end !== undefined && end !== 'overtaken';
}
