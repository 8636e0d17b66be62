import { equalConstantTime, suiteTable, toHex } from '@symmetra/crypto';
import { Roster, orderOf } from '@symmetra/protocol';
import type { MemberGroup, NodeGroup, Placed } from '@symmetra/protocol';
import { CHEAP_SUITE_ID, SealLedger, Simulation } from '@symmetra/testing';
import { groupDevice } from './group-device.js';
import { GroupHappenings } from './group-happenings.js';
import { TreeThief } from './group-mallory.js';
import { groupNode } from './group-node.js';
import { drawPlan } from './group-plan.js';
import type { GroupPlan } from './group-plan.js';
import { cheapSigning, realSigning } from './group-signing.js';
import { GroupWorld } from './group-world.js';
import { NETWORK_ID } from './node-identity.js';
import type { Run } from './seeds.js';

/** Enough for deals under way to be over or given up, and for welcomes to come again. */
const SETTLING_TICKS = 400;
const PAUSE_TICKS = 20;
const ROTATIONS = 6;
const SPEAKING_TICKS = 60;
const STRIDE = 5;

interface NodeView {
  readonly state: NodeGroup | undefined;
  readonly members: readonly Placed[];
}

/** One run of a group: a storm, then calm conditions and a last rotation. */
export class GroupRun {
  readonly #simulation: Simulation;
  readonly #plan: GroupPlan;
  readonly #world: GroupWorld;
  readonly #thieves: ReadonlyMap<string, TreeThief>;

  constructor(run: Run) {
    this.#simulation = new Simulation(run.seed, run.occurrences);
    this.#plan = drawPlan(this.#simulation.prng);
    const suite = new SealLedger([run.suite]).suites.get(run.suite.id);
    const context = { networkId: NETWORK_ID, suites: suiteTable([suite]) };
    const signing = suite.id === CHEAP_SUITE_ID ? cheapSigning : realSigning(this.#plan.nodes);
    this.#world = new GroupWorld(this.#simulation, this.#plan, context, suite, signing);
    const { groupId } = this.#world;
    const { networkId } = context;
    this.#thieves = new Map(
      this.#honest.map((nodeId) => {
        const tree = { suite: run.suite, networkId, groupId, nodeId };
        return [nodeId, new TreeThief(tree, this.#plan.thorough)];
      }),
    );
  }

  execute(): void {
    const { nodes, devices, first, stormy, happenings } = this.#plan;
    this.#simulation.observe((party, entry, before, after) => {
      if (entry !== 'group') return;
      if (devices.includes(party)) this.#noteMember(party, before, after);
      else if (this.#honest.includes(party)) this.#noteNode(party, after as NodeGroup);
    });
    this.#world.onBroadcast = (nodeId, broadcast) => this.#thieves.get(nodeId)?.hear(broadcast);
    for (const node of nodes) this.#simulation.spawn(node, groupNode(this.#world));
    for (const device of devices) this.#simulation.spawn(device, groupDevice(this.#world));
    this.#world.wish(devices[0] as string, { kind: 'create', added: devices.slice(0, first), removed: [] });
    new GroupHappenings(this.#world, () => this.#founded()).schedule(happenings);
    this.#simulation.advance(stormy);
    this.#calm();
    if (this.#hasEnded()) {
      this.#world.note('outcome:nobody is left');
    } else {
      this.#speak();
      this.#world.note('outcome:all hold the same key');
      const malice = this.#plan.liar?.malice;
      if (malice) this.#world.note(`outcome:in spite of ${malice}`);
    }
    this.#checkThefts();
    this.#checkDisks();
  }

  /** The nodes that do not lie. */
  get #honest(): readonly string[] {
    return this.#plan.nodes.filter((node) => node !== this.#plan.liar?.node);
  }

  #node(node: string): NodeView {
    const process = this.#simulation.process(node);
    const members = process.get<{ members: readonly Placed[] }>('roster')?.members ?? [];
    return { state: process.get<NodeGroup>('group'), members };
  }

  /** The honest node that is furthest. */
  #newest(): NodeView {
    const nodes = this.#honest.map((node) => this.#node(node));
    const epochOf = ({ state }: NodeView): number => state?.inForce?.epoch ?? 0;
    return nodes.toSorted((a, b) => epochOf(b) - epochOf(a))[0] as NodeView;
  }

  /** Who is in the newest epoch, by place. */
  #members(): readonly string[] {
    return this.#namesOf(this.#newest());
  }

  /** The members of the newest epoch; where a node lies, only when all of them have had one. */
  #founded(): readonly string[] {
    const members = this.#members();
    const isFounded = members.every((device) => (this.#member(device)?.newest?.epoch ?? 0) > 0);
    return isFounded || this.#plan.liar === undefined ? members : [];
  }

  #namesOf({ members }: NodeView): readonly string[] {
    return members.map(({ deviceId }) => this.#world.nameOf(deviceId));
  }

  /** What is pending is echoed. */
  #noteNode(node: string, { pending }: NodeGroup): void {
    if (pending) this.#world.ledger.echoed(node, pending.epoch, pending.dealHash);
  }

  #noteMember(device: string, before: object | undefined, after: object | undefined): void {
    const old = before as MemberGroup | undefined;
    const { paths = [], epochs = [] } = (after as MemberGroup | undefined) ?? {};
    for (const { nodeId, place, step, keys } of paths) {
      this.#thieves.get(nodeId)?.learnPath(device, place, step, keys.bytes);
    }
    for (const epoch of epochs) {
      if (old?.epochs.includes(epoch) !== true) this.#world.ledger.accepted(device, epoch);
    }
  }

  /** No faults any more; then rotations until everything fits: the first one nearly always is enough. */
  #calm(): void {
    this.#world.calm();
    for (const name of [...this.#plan.nodes, ...this.#plan.devices]) {
      if (!this.#simulation.process(name).up) this.#simulation.restart(name);
    }
    for (let i = 1; i <= ROTATIONS; i++) {
      this.#simulation.advance(PAUSE_TICKS);
      const { state, members } = this.#newest();
      const before = state?.inForce?.epoch ?? 0;
      const [dealer] = state ? orderOf(this.#world.context, state, Roster.of(members)) : [];
      if (dealer) this.#world.wish(this.#world.nameOf(dealer), { kind: 'change', added: [], removed: [] });
      for (let t = 0; t < SETTLING_TICKS; t += STRIDE) {
        if (this.#isSettled(before)) {
          this.#world.note(`calm:settled after ${i === 1 ? 'one rotation' : 'more rotations'}`);
          return;
        }
        this.#simulation.advance(STRIDE);
      }
    }
    throw new Error(`the group does not settle: ${this.#describe()}`);
  }

  /** Nobody is left; or those who were to be in the first epoch were out before anybody had a key. */
  #hasEnded(): boolean {
    const { nodes, devices, first, threshold } = this.#plan;
    const [creator, ...others] = devices.slice(0, first).map((device) => this.#isOut(device));
    const held = devices.some((device) => this.#member(device)?.newest?.epoch);
    if (!held && (creator === true || others.every((isOut) => isOut))) return true;
    const ended = nodes.filter((node) => this.#node(node).state?.ended === true);
    return ended.length >= threshold;
  }

  #isOut(device: string): boolean {
    return this.#world.left.has(device) || this.#world.revoked.has(device);
  }

  #member(device: string): MemberGroup | undefined {
    return this.#simulation.process(device).get<MemberGroup>('group');
  }

  /** Whether one epoch above `before` is in force at all honest nodes, and held by all of its members. */
  #isSettled(before: number): boolean {
    if (this.#hasEnded()) return true;
    const newest = this.#newest();
    const { inForce } = newest.state ?? {};
    if (inForce === undefined || inForce.epoch <= before || newest.state?.pending) return false;
    const together = this.#honest.every((node) => {
      const { state } = this.#node(node);
      const same = state?.inForce && equalConstantTime(state.inForce.epochId, inForce.epochId);
      return same === true && state?.out.length === 0;
    });
    const members = this.#members();
    if (members.some((device) => this.#isOut(device))) return false;
    return together && members.every((device) => this.#holds(device, inForce.epochId));
  }

  #holds(device: string, epochId: Uint8Array): boolean {
    const newest = this.#member(device)?.epochs[0];
    return newest !== undefined && equalConstantTime(newest.epochId, epochId);
  }

  #describe(): string {
    const nodes = this.#plan.nodes.map((node) => {
      const view = this.#node(node);
      const { state } = view;
      const members = this.#namesOf(view);
      const of = (deal: { epoch: number; epochId: Uint8Array } | undefined): string =>
        deal === undefined ? '-' : `${deal.epoch}:${toHex(deal.epochId).slice(0, 6)}`;
      const out = state?.out.map(({ deviceId }) => this.#world.nameOf(deviceId)).join(',');
      return `${node} ${of(state?.inForce)} pending ${of(state?.pending)} [${members.join(',')}] out [${out}] ended ${state?.ended}`;
    });
    const devices = this.#plan.devices.map((device) => {
      const process = this.#simulation.process(device);
      const state = this.#member(device);
      const epochs = state?.epochs.map(
        ({ header, epochId }) => `${header.epoch}:${toHex(epochId).slice(0, 6)}`,
      );
      const deal = process.get<{ epoch: number; reason: string; epochId: Uint8Array }>('deal');
      const dealing = deal && ` deals ${deal.epoch}:${toHex(deal.epochId).slice(0, 6)} (${deal.reason})`;
      return `${device} ${epochs?.join(' ') ?? 'out'}${dealing ?? ''}`;
    });
    const { liar, threshold } = this.#plan;
    return `\n${[`k ${threshold}, liar ${liar?.node} ${liar?.malice}`, ...nodes, ...devices].join('\n')}`;
  }

  /** All that are in hold the same key; nobody who left or was revoked is in; messages pass between all. */
  #speak(): void {
    const members = this.#members();
    const wrong = members.filter((device) => this.#isOut(device));
    if (wrong.length > 0) throw new Error(`${wrong.join(', ')} should be out`);
    this.#world.letSpeak();
    for (let t = 0; t < SPEAKING_TICKS && !this.#world.isHeardByAll(members); t += STRIDE) {
      this.#simulation.advance(STRIDE);
    }
    if (this.#world.isHeardByAll(members)) return;
    throw new Error(`not everybody hears everybody: ${this.#describe()}`);
  }

  /** Mallory, with every state that any device ever stored: the share of an epoch opens to those in it alone. */
  #checkThefts(): void {
    for (const [node, thief] of this.#thieves) {
      for (const [epochId, { devices }] of thief.shares()) {
        const members = this.#world.ledger.dealt.get(epochId)?.members ?? new Set();
        const able = [...devices].filter((device) => !members.has(device));
        if (able.length > 0) throw new Error(`${able.join(', ')} can compute a share of ${node}: ${epochId}`);
        if (devices.size > 0) this.#world.note('mallory:who is in opens the share');
        const outside = this.#plan.devices.some((device) => !members.has(device) && thief.knows(device));
        if (outside) this.#world.note('mallory:who is not in does not');
      }
    }
  }

  /** No disk of a node has the share of another; no disk of who is out has the key. */
  #checkDisks(): void {
    const { nodes, devices } = this.#plan;
    const disk = (name: string) => this.#simulation.process(name).disk;
    for (const node of this.#honest) {
      const share = this.#node(node).state?.inForce?.share;
      const others = nodes.filter((other) => other !== node && share && disk(other).contains(share.bytes));
      if (others.length > 0) throw new Error(`${others.join(', ')} has the share of ${node}`);
    }
    const [epoch] = this.#members().flatMap((device) => this.#member(device)?.epochs[0] ?? []);
    const inside = epoch && this.#world.ledger.dealt.get(toHex(epoch.epochId))?.members;
    const strangers = devices.filter((device) => inside?.has(device) === false);
    const thieves = strangers.filter((device) => epoch && disk(device).contains(epoch.applicationKey.bytes));
    if (thieves.length > 0) throw new Error(`${thieves.join(', ')} has the key of an epoch it is not in`);
  }
}
