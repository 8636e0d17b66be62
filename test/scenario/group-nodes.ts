import { equalConstantTime, toHex } from '@symmetra/crypto';
import {
  DEFAULT_POLICY,
  Roster,
  bringIntoForce,
  dealEpoch,
  decodeState,
  echoOf,
  encodeState,
  groupCoinLength,
  isSuspended,
  receiveDeal,
  receiveEcho,
  suspend,
} from '@symmetra/protocol';
import type {
  Deal,
  DealAnswer,
  DealView,
  DeviceStanding,
  EchoBook,
  GroupDeal,
  GroupRequest,
  GroupRules,
  NodeGroup,
  OutDevice,
  RosterChanges,
  Suspension,
} from '@symmetra/protocol';
import { Prng } from '@symmetra/testing';
import { CONTEXT } from './protocol-world.js';

export const GROUP_ID = new Prng('group').bytes(16);

/** A device id by name. */
export const device = (name: string): Uint8Array => new Prng(`device ${name}`).bytes(32);
export const ALICE = device('Alice');
export const BOB = device('Bob');
export const CAROL = device('Carol');
export const DAVE = device('Dave');
export const MALLORY = device('Mallory');

/** Node ids n1, n2, ... */
export const nodeNames = (count: number): string[] => Array.from({ length: count }, (_, i) => `n${i + 1}`);

/** What follows what: an epoch that some nodes have, as a dealer knows it. */
export interface Base {
  readonly epoch: number;
  readonly epochId: Uint8Array;
  readonly barrier: number;
  readonly managers: readonly Uint8Array[];
  readonly roster: Roster;
}

/** What a deal is to be. */
export interface Wish {
  readonly dealer?: Uint8Array;
  readonly removed?: readonly Uint8Array[];
  readonly added?: readonly Uint8Array[];
  /** What the header says otherwise than it should. */
  readonly header?: Partial<GroupRequest>;
  /** What makes one deal differ from another of the same wish. */
  readonly seed?: string;
}

/** A deal with the part of each node, and what it would make of its base. */
export interface Dealt {
  readonly deal: Deal;
  readonly request: GroupRequest;
  readonly next: Base;
  readonly parts: readonly GroupDeal[];
}

const NOBODY: Base = {
  epoch: 0,
  epochId: new Uint8Array(0),
  barrier: 0,
  managers: [ALICE],
  roster: Roster.of([]),
};

/** GRP-3: deals what follows a base. */
export function dealOn(
  base: Base | undefined,
  nodes: readonly string[],
  threshold: number,
  wish: Wish,
): Dealt {
  const { epoch, epochId, barrier, managers, roster } = base ?? NOBODY;
  const { removed = [], added = [], dealer = ALICE, seed = '' } = wish;
  const after = Roster.of(roster.members());
  const changes = planned(after, removed, added);
  after.apply(changes);
  const request: GroupRequest = {
    suiteId: 1,
    groupId: GROUP_ID,
    epoch: epoch + 1,
    previous: epochId,
    barrier: removed.length > 0 ? (wish.header?.epoch ?? epoch + 1) : barrier,
    dealer,
    managers,
    members: after.size,
    height: after.height,
    rosterRoot: after.root(),
    purpose: 'test',
    keyLength: 32,
    limits: { lifetimeSeconds: 7200, uses: 0 },
    threshold,
    nodes,
    descriptorVersion: 1,
    policyRevision: 1,
    ...wish.header,
  };
  const random = new Prng(`deal ${request.epoch} ${toHex(dealer)} ${seed}`);
  const deal = dealEpoch(CONTEXT, request, {
    secret: random.bytes(32),
    coins: random.bytes(groupCoinLength(request.threshold)),
  });
  const next: Base = {
    epoch: request.epoch,
    epochId: deal.epochId,
    barrier: request.barrier,
    managers: request.managers,
    roster: after,
  };
  const parts = deal.shares.map((share) => ({
    header: deal.header,
    tag: deal.tag,
    share: share.bytes.slice(),
    removed,
    added,
  }));
  return { deal, request, next, parts };
}

/** A deal may be wrong: then it says nothing true of the roster. */
function planned(
  roster: Roster,
  removed: readonly Uint8Array[],
  added: readonly Uint8Array[],
): RosterChanges {
  try {
    return roster.plan(removed, added);
  } catch {
    return { vacated: [], taken: [] };
  }
}

/** A node's part in groups, as a node would run it: all it keeps goes through its store. */
export class GroupNode {
  readonly nodeId: string;
  readonly nodes: readonly string[];
  rules: GroupRules;
  state: NodeGroup | undefined;
  roster = Roster.of([]);
  changes: RosterChanges | undefined;
  echoes: EchoBook = new Map();
  /** Of devices that are not enrolled in the usual way. */
  readonly standings = new Map<string, DeviceStanding | undefined>();

  constructor(nodeId: string, nodes: readonly string[], threshold: number) {
    this.nodeId = nodeId;
    this.nodes = nodes;
    this.rules = {
      nodeId,
      descriptorVersion: 1,
      nodes,
      minimumNodes: nodes.length,
      minimumThreshold: threshold,
      allowedSuites: DEFAULT_POLICY.allowedSuites,
      purposes: DEFAULT_POLICY.purposes,
      maximum: DEFAULT_POLICY.maximum,
      requireDirectKem: true,
      stages: DEFAULT_POLICY.keyStages,
      groupMembers: 100,
    };
  }

  /** GRP-4; `from`: who gives the whole roster of the deal, or the epoch that it follows. */
  receive(dealt: Dealt, from?: GroupNode, sender: Uint8Array = dealt.request.dealer): DealAnswer {
    const place = Math.max(0, dealt.request.nodes.indexOf(this.nodeId));
    const part = dealt.parts[place] as GroupDeal;
    return this.receivePart({ ...part, share: part.share.slice() }, sender, from?.given(dealt));
  }

  receivePart(part: GroupDeal, sender: Uint8Array, given: Pick<DealView, 'dealt' | 'base'> = {}): DealAnswer {
    const { state, output } = receiveDeal(CONTEXT, this.state, sender, part, {
      rules: this.rules,
      roster: this.roster,
      echoes: this.echoes,
      standingOf: (deviceId) => {
        const name = toHex(deviceId);
        if (this.standings.has(name)) return this.standings.get(name);
        return { revoked: false, stage: 'production' };
      },
      ...given,
    });
    this.state = stored(state);
    if (output.changes !== undefined) this.changes = output.changes;
    return output;
  }

  /** GRP-5: hears what another node says. */
  hear(other: GroupNode): void {
    if (other.state === undefined) return;
    this.echoes = receiveEcho(this.echoes, other.nodeId, echoOf(other.state));
  }

  /** GRP-5. @returns whether the pending deal is in force now */
  settle(): boolean {
    if (this.state?.pending === undefined) return false;
    const step = bringIntoForce(CONTEXT, this.state, {
      nodeId: this.nodeId,
      echoes: this.echoes,
      roster: this.roster,
      changes: this.changes as RosterChanges,
    });
    this.state = stored(step.state);
    for (const secret of step.consumed) secret.wipe();
    if (step.output === undefined) return false;
    this.roster.apply(this.changes as RosterChanges);
    this.changes = undefined;
    return true;
  }

  out(deviceId: Uint8Array, reason: OutDevice['reason']): Suspension {
    const { state, output } = suspend(CONTEXT, this.state as NodeGroup, this.roster, this.changes, {
      deviceId,
      reason,
    });
    this.state = stored(state);
    if (reason === 'revoked') this.standings.set(toHex(deviceId), { revoked: true, stage: 'production' });
    if (output.dropped) this.changes = undefined;
    if (output.effect === 'ended') this.roster = Roster.of([]);
    return output;
  }

  isSuspended(): boolean {
    return this.state !== undefined && isSuspended(this.state, this.roster);
  }

  /** What is in memory alone is gone. */
  restart(): void {
    this.echoes = new Map();
    this.state = this.state && stored(this.state);
  }

  /** What another node gets that is behind. */
  given({ deal, request }: Dealt): Pick<DealView, 'dealt' | 'base'> {
    const { pending, inForce } = this.state ?? {};
    const roster = Roster.of(this.roster.members());
    const base =
      inForce !== undefined && equalConstantTime(inForce.epochId, request.previous)
        ? { base: { header: inForce.header, tag: inForce.tag, roster: Roster.of(roster.members()) } }
        : {};
    if (pending !== undefined && equalConstantTime(pending.dealHash, deal.dealHash)) {
      roster.apply(this.changes as RosterChanges);
      return { dealt: roster, ...base };
    }
    const isHeld = inForce !== undefined && equalConstantTime(inForce.dealHash, deal.dealHash);
    return isHeld ? { dealt: roster } : base;
  }
}

function stored(state: NodeGroup): NodeGroup {
  return decodeState<NodeGroup>(encodeState(state));
}

/** A network's nodes. */
export function groupNodes(count: number, threshold: number): GroupNode[] {
  const names = nodeNames(count);
  return names.map((name) => new GroupNode(name, names, threshold));
}

/** All hear all, until nothing changes. */
export function gossip(nodes: readonly GroupNode[]): void {
  for (const node of nodes) {
    for (const other of nodes) {
      if (other !== node) node.hear(other);
    }
  }
  for (const node of nodes) node.settle();
}

/** Deals to all the nodes, and brings it into force at them. */
export function inForceAt(nodes: readonly GroupNode[], dealt: Dealt): Base {
  for (const node of nodes) node.receive(dealt);
  gossip(nodes);
  return dealt.next;
}
