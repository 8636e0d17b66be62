import { SymmetraError, equalConstantTime, suites, toHex } from '@symmetra/crypto';
import {
  Roster,
  bringIntoForce,
  dealEpoch,
  decodeGroupHeader,
  encodeEpochBroadcast,
  groupCoinLength,
  newMember,
  pathKeysOf,
  plantTree,
  rangesOf,
  readWelcome,
  receiveDeal,
  receiveEpochBroadcast,
  receiveWelcome,
  rekey,
} from '@symmetra/protocol';
import type {
  Deal,
  GroupRules,
  HeaderFloors,
  MemberGroup,
  MemberStep,
  NodeGroup,
  ProtocolContext,
  RosterChanges,
  TreeScope,
  WelcomeFields,
} from '@symmetra/protocol';
import { Prng } from '@symmetra/testing';
import { realSigning } from './group-signing.js';
import type { SignedBroadcast } from './group-wire.js';
import { NETWORK_ID, NODE_IDS } from './node-identity.js';
import { deviceIdOfName } from './pair-channel.js';

export const THRESHOLD = 2;
const SUITE_ID = 1;
const PURPOSE = 'collusion';
const STAGE = 'production';
const DEVICES = ['alice', 'bob', 'mallory', 'trudy'];

/** A node: honest in what it does; a coalition is shown what it has. */
export interface GroupNodeView {
  readonly id: string;
  state: NodeGroup | undefined;
  readonly roster: Roster;
  readonly pages: Map<string, Uint8Array>;
  step: number;
  /** Its share of every epoch, by epoch id. */
  readonly shares: Map<string, Uint8Array>;
}

/** An epoch as it was dealt. */
export interface DealtGroup {
  readonly deal: Deal;
  readonly members: ReadonlySet<string>;
}

/** Three nodes with k = 2 and a group, on the real protocol core under suite 1, with real signatures. */
export class CollusionGroupWorld {
  readonly context: ProtocolContext = { networkId: NETWORK_ID, suites };
  readonly suite = suites.get(SUITE_ID);
  readonly signing = realSigning(NODE_IDS);
  readonly groupId: Uint8Array;
  readonly nodes: readonly GroupNodeView[];
  readonly members = new Map<string, MemberGroup>();
  /** Every state that a device ever had. */
  readonly states = new Map<string, MemberGroup[]>();
  readonly wire: SignedBroadcast[] = [];
  readonly epochs: DealtGroup[] = [];
  /** Why devices and nodes refused what was made up. */
  readonly refusals: string[] = [];
  readonly #prng: Prng;

  constructor(seed: string) {
    this.#prng = new Prng(seed);
    this.groupId = this.fresh(16);
    this.nodes = NODE_IDS.map((id) => ({
      id,
      state: undefined,
      roster: Roster.of([]),
      pages: new Map<string, Uint8Array>(),
      step: 0,
      shares: new Map<string, Uint8Array>(),
    }));
  }

  fresh(length: number): Uint8Array {
    return this.#prng.bytes(length);
  }

  scopeOf(nodeId: string): TreeScope {
    return { suite: this.suite, networkId: NETWORK_ID, groupId: this.groupId, nodeId };
  }

  get floors(): HeaderFloors {
    return {
      nodes: NODE_IDS,
      minimumNodes: NODE_IDS.length,
      minimumThreshold: THRESHOLD,
      allowedSuites: [SUITE_ID],
    };
  }

  /** The n-th epoch that was dealt, from 0. */
  epoch(n: number): DealtGroup {
    const epoch = this.epochs[n];
    if (epoch === undefined) throw new Error(`no epoch was dealt as the ${n}th`);
    return epoch;
  }

  /** A node by its id. */
  node(id: string): GroupNodeView {
    const node = this.nodes.find((one) => one.id === id);
    if (node === undefined) throw new Error(`no node is called ${id}`);
    return node;
  }

  /** A deal by `dealer` that follows the newest epoch, whether or not it may. */
  dealt(dealer: string, added: readonly string[], removed: readonly string[]): Deal {
    const [node] = this.nodes as readonly [GroupNodeView];
    const roster = Roster.of(node.roster.members());
    const changes = roster.plan(removed.map(deviceIdOfName), added.map(deviceIdOfName));
    const { size, height, root } = roster.outcome(changes);
    const { inForce } = node.state ?? {};
    const before = inForce && decodeGroupHeader(this.context, inForce.header);
    const epoch = (before?.epoch ?? 0) + 1;
    const header = {
      suiteId: SUITE_ID,
      groupId: this.groupId,
      epoch,
      previous: inForce?.epochId ?? new Uint8Array(0),
      barrier: removed.length > 0 ? epoch : (before?.barrier ?? 0),
      dealer: deviceIdOfName(dealer),
      managers: before?.managers ?? [deviceIdOfName(dealer)],
      members: size,
      height,
      rosterRoot: root,
      purpose: PURPOSE,
      keyLength: 32,
      limits: { lifetimeSeconds: 3600, uses: 0 },
      threshold: THRESHOLD,
      nodes: NODE_IDS,
      descriptorVersion: 1,
      policyRevision: 1,
    };
    const random = { secret: this.fresh(32), coins: this.fresh(groupCoinLength(THRESHOLD)) };
    return dealEpoch(this.context, header, random);
  }

  /** Alice deals; every node approves, echoes and delivers; every member takes it. */
  change(added: readonly string[], removed: readonly string[]): void {
    const deal = this.dealt('alice', added, removed);
    const newcomers = new Set(added);
    for (const node of this.nodes) {
      const changes = this.approve(node, 'alice', deal, added, removed);
      const broadcast = this.#bringIntoForce(node, deal, changes);
      for (const { deviceId } of node.roster.members()) {
        const device = this.#nameOf(deviceId);
        const isNew = broadcast === undefined || newcomers.has(device);
        if (isNew) this.welcome(device, node.id, this.#welcomeOf(node, deviceId));
      }
      if (broadcast !== undefined) this.spread(broadcast);
    }
    const [node] = this.nodes as readonly [GroupNodeView];
    const members = [...node.roster.members()].map(({ deviceId }) => this.#nameOf(deviceId));
    this.epochs.push({ deal, members: new Set(members) });
  }

  #nameOf(deviceId: Uint8Array): string {
    const name = DEVICES.find((one) => equalConstantTime(deviceIdOfName(one), deviceId));
    if (name === undefined) throw new Error('no device has this id');
    return name;
  }

  /** GRP-4 at one node. @throws what the node answers */
  approve(
    node: GroupNodeView,
    dealer: string,
    deal: Deal,
    added: readonly string[],
    removed: readonly string[],
  ): RosterChanges {
    const share = deal.shares[NODE_IDS.indexOf(node.id as (typeof NODE_IDS)[number])]?.bytes.slice();
    if (share === undefined) throw new Error('a deal without a share for the node');
    const { state, output } = receiveDeal(
      this.context,
      node.state,
      deviceIdOfName(dealer),
      {
        header: deal.header,
        tag: deal.tag,
        share,
        removed: removed.map(deviceIdOfName),
        added: added.map(deviceIdOfName),
      },
      {
        rules: this.#rulesOf(node.id),
        roster: node.roster,
        echoes: new Map(),
        standingOf: () => ({ revoked: false, stage: STAGE }),
      },
    );
    node.state = state;
    return output.changes ?? { vacated: [], taken: [] };
  }

  #rulesOf(nodeId: string): GroupRules {
    return {
      ...this.floors,
      nodeId,
      descriptorVersion: 1,
      purposes: [PURPOSE],
      maximum: { lifetimeSeconds: 3600, uses: 0 },
      requireDirectKem: false,
      stages: [STAGE],
      groupMembers: 16,
    };
  }

  #bringIntoForce(node: GroupNodeView, deal: Deal, changes: RosterChanges): SignedBroadcast | undefined {
    const before = node.state;
    if (before === undefined) throw new Error('the node has no such group');
    const echo = [{ epoch: decodeGroupHeader(this.context, deal.header).epoch, dealHash: deal.dealHash }];
    const echoes = new Map(NODE_IDS.map((id) => [id as string, echo]));
    const agreement = { nodeId: node.id, echoes, roster: node.roster, changes };
    const { state, output } = bringIntoForce(this.context, before, agreement);
    if (output?.share === undefined) throw new Error('the epoch does not come into force');
    const heightBefore = node.roster.height;
    node.roster.apply(changes);
    node.state = state;
    node.shares.set(toHex(output.epochId), output.share.bytes.slice());
    const random = (length: number): Uint8Array => this.fresh(length);
    const { height } = node.roster;
    if (before.inForce === undefined) {
      const places = [...node.roster.members()].map(({ place }) => place);
      this.#write(node, plantTree(this.scopeOf(node.id), { places, height, step: 0, random }));
      return undefined;
    }
    node.step += 1;
    const { step } = node;
    const nonce = this.fresh(32);
    const { epochId } = output;
    const share = output.share.bytes;
    const rekeying = { heightBefore, changes, height, step, nonce, epochId, share, random };
    const { pages, update } = rekey(this.scopeOf(node.id), (name) => node.pages.get(name), rekeying);
    this.#write(node, pages);
    const content =
      update &&
      encodeEpochBroadcast(this.context, {
        nodeId: node.id,
        headerBytes: deal.header,
        tag: deal.tag,
        from: before.inForce.epochId,
        step,
        nonce,
        vacated: rangesOf(changes.vacated),
        taken: rangesOf(changes.taken.map(({ place }) => place)),
        ...update,
      });
    return content && this.signing.sign(node.id, content);
  }

  #write(node: GroupNodeView, pages: ReadonlyMap<string, Uint8Array | null>): void {
    for (const [name, page] of pages) {
      if (page === null) node.pages.delete(name);
      else node.pages.set(name, page);
    }
  }

  #welcomeOf(node: GroupNodeView, deviceId: Uint8Array): WelcomeFields {
    const { inForce } = node.state ?? {};
    const place = node.roster.placeOf(deviceId);
    if (inForce?.share === undefined || place === undefined) throw new Error('there is nobody to welcome');
    const { step } = node;
    const read = (name: string): Uint8Array | undefined => node.pages.get(name);
    const pathKeys = pathKeysOf(this.scopeOf(node.id), read, node.roster.height, place, step);
    return {
      header: inForce.header,
      tag: inForce.tag,
      share: inForce.share.bytes.slice(),
      place,
      step,
      pathKeys,
    };
  }

  /** A welcome in the session of a node. What the device refuses is noted. */
  welcome(device: string, nodeId: string, fields: WelcomeFields): void {
    const before = this.members.get(device) ?? newMember(this.groupId, deviceIdOfName(device));
    this.#attempt(device, () =>
      receiveWelcome(this.context, before, readWelcome(this.context, this.floors, nodeId, fields), 1),
    );
  }

  /** A broadcast to every member. What a device refuses is noted. */
  spread(signed: SignedBroadcast): void {
    this.wire.push(signed);
    for (const [device, before] of this.members) {
      this.#attempt(device, () => {
        const broadcast = this.signing.read(this.context, signed);
        if (broadcast.kind !== 'epoch') throw new Error('this is no broadcast of an epoch');
        return receiveEpochBroadcast(this.context, this.floors, before, broadcast, 1);
      });
    }
  }

  #attempt(device: string, step: () => MemberStep): void {
    this.attempt(() => {
      const { state, output } = step();
      if (output.kind === 'out') this.members.delete(device);
      else this.#keep(device, state);
    });
  }

  /** Notes why something is refused. */
  attempt(step: () => unknown): void {
    try {
      step();
    } catch (error) {
      if (!(error instanceof SymmetraError)) throw error;
      this.refusals.push(error.code);
    }
  }

  #keep(device: string, state: MemberGroup): void {
    this.members.set(device, state);
    this.states.set(device, [...(this.states.get(device) ?? []), state]);
  }
}
