import { SymmetraError, equalConstantTime, toHex } from '@symmetra/crypto';
import {
  Roster,
  bringIntoForce,
  dealHash,
  decodeGroupHeader,
  echoOf,
  receiveDeal,
  receiveEcho,
  suspend,
} from '@symmetra/protocol';
import type {
  DealBase,
  EchoBook,
  GroupDeal,
  GroupEcho,
  NodeGroup,
  Placed,
  RosterChanges,
} from '@symmetra/protocol';
import type { Actor, Boot, SimulatedProcess } from '@symmetra/testing';
import { readFrame, unknownFrame } from './frame.js';
import { GroupDelivery } from './group-delivery.js';
import { GroupLiar } from './group-liar.js';
import { readSession, sessionFrame } from './group-wire.js';
import type { GroupWorld } from './group-world.js';
import { deviceIdOfName } from './pair-channel.js';

/** A deal that this node is behind of, and what others told of it. */
interface WaitingDeal {
  readonly from: string;
  readonly deal: GroupDeal;
  readonly dealt?: Roster;
  readonly base?: DealBase;
}

/** What a node that is behind asks for. */
interface DealQuestion {
  readonly dealHash: Uint8Array;
  readonly previous: Uint8Array;
}

/** What a node tells one that is behind: the roster of the deal, and the epoch that it follows. */
interface DealRosters {
  readonly dealHash: Uint8Array;
  readonly members?: readonly Placed[];
  readonly base?: {
    readonly header: Uint8Array;
    readonly tag: Uint8Array;
    readonly members: readonly Placed[];
  };
}

/** Refusals after which the whole roster of a deal is asked for (GRP-4). */
const BEHIND = new Set(['GROUP_BEHIND', 'GROUP_UNKNOWN', 'GROUP_EXISTS', 'GROUP_ENDED']);

export function groupNode(world: GroupWorld): Boot {
  return (process) => new GroupNode(world, process);
}

/** GRP-4, GRP-5, GRP-10, GRP-11: a node of the simulation. */
class GroupNode implements Actor {
  readonly #world: GroupWorld;
  readonly #process: SimulatedProcess;
  readonly #liar: GroupLiar;
  readonly #delivery: GroupDelivery;
  readonly #roster: Roster;
  #echoes: EchoBook = new Map();
  /** Deals that this node is behind of, until their roster comes: by deal hash. */
  readonly #waiting = new Map<string, WaitingDeal>();

  constructor(world: GroupWorld, process: SimulatedProcess) {
    this.#world = world;
    this.#process = process;
    const { liar } = world.plan;
    this.#liar = new GroupLiar(liar?.node === process.name ? liar.malice : undefined, process);
    this.#roster = Roster.of(process.get<{ members: readonly Placed[] }>('roster')?.members ?? []);
    this.#delivery = new GroupDelivery(world, process, this.#liar, this.#roster);
  }

  get #state(): NodeGroup | undefined {
    return this.#process.get<NodeGroup>('group');
  }

  get #changes(): RosterChanges | undefined {
    return this.#process.get<RosterChanges>('changes');
  }

  get #others(): readonly string[] {
    return this.#world.plan.nodes.filter((node) => node !== this.#process.name);
  }

  receive(from: string, bytes: Uint8Array): void {
    if (this.#world.separates(from, this.#process.name)) {
      this.#world.note('apart:node');
      return;
    }
    const { type, body } = readFrame(bytes);
    if (type === 'broadcast') {
      this.#delivery.passOn(body);
      return;
    }
    const message = readSession<object>(from, this.#process.name, type, body);
    this.#heedRevocations();
    this.#handle(from, type, message);
  }

  #handle(from: string, type: string, message: object): void {
    if (type === 'deal') this.#deal(from, message as GroupDeal);
    else if (type === 'confirm') this.#delivery.confirmed(from, (message as { epochId: Uint8Array }).epochId);
    else if (type === 'leave') this.#leave(from);
    else if (type === 'renew') this.#renew(from, (message as { epochId: Uint8Array }).epochId);
    else if (type === 'roster?') this.#tellRoster(from);
    else if (type === 'echo') this.#echo(from, message as { echo: GroupEcho; asks: boolean });
    else if (type === 'roster of?') this.#tellDealt(from, message as DealQuestion);
    else if (type === 'roster of') this.#dealt(message as DealRosters);
    else throw unknownFrame(type);
  }

  #say(to: string, type: string, body: object): void {
    this.#process.send(to, sessionFrame(this.#process.name, to, type, body));
  }

  #deal(from: string, deal: GroupDeal, known: Omit<WaitingDeal, 'from' | 'deal'> = {}): void {
    const { context, suite } = this.#world;
    const hash = dealHash(suite, deal.header, deal.tag);
    if (this.#liar.isSilent) return;
    const { epoch } = decodeGroupHeader(context, deal.header);
    this.#liar.dealt({ epoch, dealHash: hash });
    try {
      const step = receiveDeal(context, this.#state, deviceIdOfName(from), deal, {
        rules: this.#world.rulesOf(this.#process.name),
        roster: this.#roster,
        echoes: this.#echoes,
        standingOf: (id) => this.#world.standingOf(this.#process.name, id),
        ...known,
      });
      this.#waiting.delete(toHex(hash));
      const { changes, inForce } = step.output;
      const answer = sessionFrame(this.#process.name, from, 'dealt', { dealHash: hash, inForce });
      if (changes === undefined) {
        this.#process.send(from, answer);
        return;
      }
      if (known.dealt ?? known.base) this.#world.note('node:behind, follows');
      if (this.#gaveUp(known.base)) this.#world.note('node:follows what it gave up');
      this.#process.commit({
        writes: { group: step.state, changes },
        sends: [{ to: from, frame: answer }],
        wipes: step.consumed,
      });
    } catch (error) {
      if (error instanceof SymmetraError) {
        this.#refuse(from, hash, error);
        const isTold = known.dealt !== undefined || known.base !== undefined;
        if (!isTold && BEHIND.has(error.code)) this.#ask(from, deal, hash);
      }
      throw error;
    }
    this.#sendEchoes(true);
    this.#agree();
  }

  /** GRP-11: whether this node echoed the epoch that a deal follows, and gave it up. */
  #gaveUp(base: DealBase | undefined): boolean {
    if (base === undefined) return false;
    const hash = dealHash(this.#world.suite, base.header, base.tag);
    return this.#state?.givenUp?.some((one) => equalConstantTime(one.dealHash, hash)) === true;
  }

  #refuse(from: string, hash: Uint8Array, { code, details }: SymmetraError): void {
    const epoch = details?.['epoch'];
    this.#say(from, 'refused', { dealHash: hash, code, ...(typeof epoch === 'number' && { epoch }) });
  }

  #ask(from: string, deal: GroupDeal, hash: Uint8Array): void {
    this.#waiting.set(toHex(hash), { from, deal: { ...deal, share: deal.share.slice() } });
    const { previous } = decodeGroupHeader(this.#world.context, deal.header);
    for (const node of this.#others) this.#say(node, 'roster of?', { dealHash: hash, previous });
    this.#sendEchoes(true);
  }

  /** The roster of the deal that this node echoes, and the epoch that it follows, for one that is behind. */
  #tellDealt(to: string, { dealHash: hash, previous }: DealQuestion): void {
    const { pending, inForce } = this.#state ?? {};
    const members = [...this.#roster.members()];
    const base = inForce && equalConstantTime(inForce.epochId, previous) && { ...inForce, members };
    const isPending = pending !== undefined && equalConstantTime(pending.dealHash, hash);
    const after = Roster.of(members);
    if (isPending && this.#changes) after.apply(this.#changes);
    const echoes = isPending || (inForce !== undefined && equalConstantTime(inForce.dealHash, hash));
    const told: DealRosters = {
      dealHash: hash,
      ...(echoes && { members: [...after.members()] }),
      ...(base && { base: { header: base.header, tag: base.tag, members } }),
    };
    if (echoes || base) this.#say(to, 'roster of', told);
  }

  #dealt({ dealHash: hash, members, base }: DealRosters): void {
    const before = this.#waiting.get(toHex(hash));
    if (before === undefined) return;
    const waiting: WaitingDeal = {
      ...before,
      ...(members && { dealt: Roster.of(members) }),
      ...(base && { base: { header: base.header, tag: base.tag, roster: Roster.of(base.members) } }),
    };
    this.#waiting.set(toHex(hash), waiting);
    const { from, deal, ...known } = waiting;
    this.#deal(from, { ...deal, share: deal.share.slice() }, known);
  }

  #sendEchoes(asks: boolean, to = this.#others): void {
    const state = this.#state;
    if (this.#liar.isSilent) return;
    const echo = state === undefined ? [] : echoOf(state);
    for (const [i, node] of to.entries()) this.#say(node, 'echo', { echo: this.#liar.echo(echo, i), asks });
  }

  #echo(from: string, { echo, asks }: { echo: GroupEcho; asks: boolean }): void {
    this.#echoes = receiveEcho(this.#echoes, from, echo);
    if (asks) this.#sendEchoes(false, [from]);
    this.#agree();
  }

  /** GRP-5. */
  #agree(): void {
    const state = this.#state;
    if (state?.pending === undefined) return;
    const { context } = this.#world;
    const changes = this.#changes;
    if (changes === undefined) throw new Error('a deal is pending without its changes');
    const agreement = { nodeId: this.#process.name, echoes: this.#echoes, roster: this.#roster, changes };
    const step = bringIntoForce(context, state, agreement);
    if (step.output === undefined) return;
    this.#delivery.bringIntoForce(state.inForce, step, changes);
  }

  #heedRevocations(): void {
    const { plan, revoked } = this.#world;
    for (const device of plan.devices) {
      if (!revoked.has(device) || !this.#world.isRevokedAt(this.#process.name, device)) continue;
      this.#out(device, 'revoked');
    }
  }

  #out(device: string, reason: 'left' | 'revoked'): void {
    const state = this.#state;
    if (state === undefined) return;
    const out = { deviceId: deviceIdOfName(device), reason };
    const step = suspend(this.#world.context, state, this.#roster, this.#changes, out);
    const { effect, dropped } = step.output;
    if (step.state === state) return;
    if (dropped) this.#world.note('node:pending dropped');
    this.#world.note(`node:${effect === 'nothing' ? 'not suspended' : effect}`);
    this.#process.commit({
      writes: {
        group: step.state,
        ...(dropped && { changes: undefined }),
        ...(effect === 'ended' && this.#delivery.forgotten()),
      },
      wipes: step.consumed,
    });
    if (effect === 'suspended') this.#delivery.sayDue();
  }

  #leave(from: string): void {
    try {
      this.#out(from, 'left');
    } finally {
      this.#say(from, 'left', {});
    }
  }

  #renew(from: string, epochId: Uint8Array): void {
    const { inForce } = this.#state ?? {};
    const isMember = this.#roster.placeOf(deviceIdOfName(from)) !== undefined;
    if (inForce && isMember && equalConstantTime(inForce.epochId, epochId)) this.#delivery.sayDue('used-up');
  }

  #tellRoster(from: string): void {
    const { inForce } = this.#state ?? {};
    if (inForce === undefined || this.#roster.placeOf(deviceIdOfName(from)) === undefined) return;
    this.#say(from, 'roster', { header: inForce.header, members: [...this.#roster.members()] });
  }

  tick(): void {
    this.#heedRevocations();
    if (this.#state?.pending) {
      this.#sendEchoes(true);
      this.#agree();
    }
    this.#delivery.tick();
  }

  idle(): boolean {
    return true;
  }
}
