import { Secret, toHex } from '@symmetra/crypto';
import type { Suite } from '@symmetra/crypto';
import {
  Roster,
  dealEpoch,
  decodeGroupHeader,
  decodeState,
  encodeState,
  endEpochs,
  groupCoinLength,
  newMember,
  pathKeysOf,
  plantTree,
  rangesOf,
  readWelcome,
  receiveDue,
  receiveEpochBroadcast,
  receiveWelcome,
  rekey,
} from '@symmetra/protocol';
import type {
  Deal,
  EpochBroadcast,
  GroupDue,
  GroupRequest,
  MemberGroup,
  MemberOutput,
  MemberStep,
  RosterChanges,
  TreeScope,
  WelcomeFields,
} from '@symmetra/protocol';
import { Prng } from '@symmetra/testing';
import { CONTEXT, NETWORK_ID, codeOf } from './protocol-world.js';

export const GROUP_ID = new Prng('group id').bytes(16);
export const NODE_IDS = ['amsterdam', 'bern', 'cairo'] as const;
export const BOUND_MS = 10_000;
export const LIFETIME_SECONDS = 7200;

/** The device id of an actor. */
export function deviceOf(name: string): Uint8Array {
  return new Prng(`device ${name}`).bytes(32);
}

/** An epoch that was dealt, with the changes that led to it. */
export interface DealtEpoch {
  readonly deal: Deal;
  readonly request: GroupRequest;
  readonly changes: RosterChanges;
}

/** One node of a group: its tree, and the epoch in force there. */
export class TreeNode {
  readonly nodeId: string;
  readonly #prng: Prng;
  readonly #pages = new Map<string, Uint8Array>();
  readonly #scope: TreeScope;
  readonly #roster = Roster.of([]);
  #step = -1;
  #height = 0;
  #epoch: DealtEpoch | undefined;

  constructor(suite: Suite, nodeId: string) {
    this.nodeId = nodeId;
    this.#prng = new Prng(`node ${nodeId}/${suite.id}`);
    this.#scope = { suite, networkId: NETWORK_ID, groupId: GROUP_ID, nodeId };
  }

  /** GRP-6, GRP-7: brings an epoch into force; the first one has no broadcast. */
  bring(epoch: DealtEpoch): EpochBroadcast | undefined {
    const { deal, changes, request } = epoch;
    const from = this.#epoch?.deal.epochId;
    const heightBefore = this.#height;
    this.#step += 1;
    this.#height = request.height;
    this.#roster.apply(changes);
    this.#epoch = epoch;
    const random = (length: number): Uint8Array => this.#prng.bytes(length);
    if (from === undefined) {
      const places = changes.taken.map(({ place }) => place);
      this.#store(plantTree(this.#scope, { places, height: request.height, step: 0, random }));
      return undefined;
    }
    const nonce = this.#prng.bytes(32);
    const { epochId } = deal;
    const step = this.#step;
    const share = this.shareOf(epoch);
    const { pages, update } = rekey(this.#scope, (name) => this.#pages.get(name), {
      heightBefore,
      changes,
      height: request.height,
      step,
      nonce,
      epochId,
      share,
      random,
    });
    this.#store(pages);
    if (update === undefined) throw new Error('the broadcast is short');
    return {
      kind: 'epoch',
      nodeId: this.nodeId,
      header: decodeGroupHeader(CONTEXT, deal.header),
      headerBytes: deal.header,
      tag: deal.tag,
      from,
      step,
      nonce,
      vacated: rangesOf(changes.vacated),
      taken: rangesOf(changes.taken.map(({ place }) => place)),
      ...update,
    };
  }

  /** GRP-8: what a member gets of the epoch in force. */
  welcome(name: string): WelcomeFields {
    const place = this.#roster.placeOf(deviceOf(name));
    if (place === undefined || this.#epoch === undefined) throw new Error(`${name} is no member`);
    const { deal, request } = this.#epoch;
    const read = (page: string): Uint8Array | undefined => this.#pages.get(page);
    return {
      header: deal.header,
      tag: deal.tag,
      share: this.shareOf(this.#epoch),
      place,
      step: this.#step,
      pathKeys: pathKeysOf(this.#scope, read, request.height, place, this.#step),
    };
  }

  shareOf({ deal }: DealtEpoch): Uint8Array {
    const index = NODE_IDS.findIndex((id) => id === this.nodeId);
    return deal.shares[index]?.bytes.slice() ?? new Uint8Array(0);
  }

  #store(pages: ReadonlyMap<string, Uint8Array | null>): void {
    for (const [name, value] of pages) {
      if (value === null) this.#pages.delete(name);
      else this.#pages.set(name, value);
    }
  }
}

/** What a change asks for. */
export interface Change {
  readonly removed?: readonly string[];
  readonly added?: readonly string[];
  readonly epoch?: number;
  readonly previous?: Uint8Array;
  readonly uses?: number;
  readonly lifetimeSeconds?: number;
  readonly salt?: string;
}

/** A group over three nodes, whose dealer is Alice. */
export class GroupScene {
  readonly suite: Suite;
  readonly nodes: readonly [TreeNode, TreeNode, TreeNode];
  readonly roster = Roster.of([]);
  newest: DealtEpoch | undefined;

  constructor(suite: Suite) {
    this.suite = suite;
    this.nodes = NODE_IDS.map((id) => new TreeNode(suite, id)) as [TreeNode, TreeNode, TreeNode];
  }

  /** GRP-3: deals an epoch without bringing it into force anywhere. */
  deal(change: Change): DealtEpoch {
    const changes = this.roster.plan(
      (change.removed ?? []).map(deviceOf),
      (change.added ?? []).map(deviceOf),
    );
    const { size, height, root } = this.roster.outcome(changes);
    const before = this.newest?.request;
    const epoch = change.epoch ?? (before?.epoch ?? 0) + 1;
    const isRemoval = changes.vacated.length > 0;
    const request: GroupRequest = {
      suiteId: this.suite.id,
      groupId: GROUP_ID,
      epoch,
      previous: change.previous ?? this.newest?.deal.epochId ?? new Uint8Array(0),
      barrier: isRemoval ? epoch : (before?.barrier ?? 0),
      dealer: deviceOf('alice'),
      managers: [deviceOf('alice'), deviceOf('bob')],
      members: size,
      height,
      rosterRoot: root,
      purpose: 'intercom',
      keyLength: 32,
      limits: { lifetimeSeconds: change.lifetimeSeconds ?? LIFETIME_SECONDS, uses: change.uses ?? 0 },
      threshold: 2,
      nodes: NODE_IDS,
      descriptorVersion: 7,
      policyRevision: 3,
    };
    const prng = new Prng(`deal ${this.suite.id}/${epoch}/${change.salt ?? ''}`);
    const random = { secret: prng.bytes(32), coins: prng.bytes(groupCoinLength(2)) };
    return { deal: dealEpoch(CONTEXT, request, random), request, changes };
  }

  /** The dealt epoch is the newest of the group. */
  settle(epoch: DealtEpoch): void {
    this.roster.apply(epoch.changes);
    this.newest = epoch;
  }

  /** Deals an epoch and brings it into force at every node. */
  next(change: Change): readonly EpochBroadcast[] {
    const epoch = this.deal(change);
    this.settle(epoch);
    return this.nodes.map((node) => node.bring(epoch)).filter((one) => one !== undefined);
  }
}

/** A member whose state goes through the store after every step. */
export class SceneMember {
  readonly name: string;
  state: MemberGroup;

  constructor(name: string) {
    this.name = name;
    this.state = newMember(GROUP_ID, deviceOf(name));
  }

  welcome(nodeId: string, fields: WelcomeFields, nowMs = 0): MemberOutput {
    const read = readWelcome(CONTEXT, floorsOf(), nodeId, {
      ...fields,
      share: fields.share.slice(),
      pathKeys: fields.pathKeys.slice(),
    });
    return this.took(receiveWelcome(CONTEXT, this.state, read, nowMs));
  }

  hear(broadcast: EpochBroadcast, nowMs = 0): MemberOutput {
    return this.took(receiveEpochBroadcast(CONTEXT, floorsOf(), this.state, broadcast, nowMs));
  }

  due(due: GroupDue, nowMs = 0): MemberOutput {
    return this.took(receiveDue(this.state, due, nowMs));
  }

  /** GRP-9: gives up what is over. */
  end(nowMs: number): void {
    this.took({ ...endEpochs(this.state, nowMs, BOUND_MS), output: { kind: 'nothing' } });
  }

  /** Numbers of the epochs held, newest first. */
  get held(): readonly number[] {
    return this.state.epochs.map(({ header }) => header.epoch);
  }

  /** Persists, then wipes: nothing that is kept is wiped, and everything else is. What is stored is all that is left. */
  took({ state, output, consumed }: MemberStep): MemberOutput {
    const stored = encodeState(state);
    for (const secret of consumed) secret.wipe();
    if (toHex(encodeState(state)) !== toHex(stored)) throw new Error('what is kept was wiped');
    const kept = new Set(secretsIn(state));
    const leftOver = secretsIn(this.state).filter((secret) => !kept.has(secret) && !isWiped(secret));
    if (leftOver.length > 0) throw new Error(`${leftOver[0]?.name} is neither kept nor wiped`);
    this.state = decodeState<MemberGroup>(stored);
    return output;
  }
}

function secretsIn(value: unknown): readonly Secret<string>[] {
  if (value instanceof Secret) return [value as Secret<string>];
  if (value instanceof Uint8Array || typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(secretsIn);
}

function isWiped(secret: Secret<string>): boolean {
  return codeOf(() => secret.bytes) === 'SECRET_WIPED';
}

/** What a member insists on. */
export function floorsOf(): Parameters<typeof readWelcome>[1] {
  return { nodes: NODE_IDS, minimumNodes: 3, minimumThreshold: 2, allowedSuites: [1, 2, 3] };
}

/** A group of the given members, all of whom hold epoch 1. */
export function createdGroup(
  suite: Suite,
  names: readonly string[],
): { readonly scene: GroupScene; readonly members: Map<string, SceneMember> } {
  const scene = new GroupScene(suite);
  scene.next({ added: names });
  const members = names.map((name) => {
    const member = new SceneMember(name);
    for (const node of scene.nodes) member.welcome(node.nodeId, node.welcome(name));
    return [name, member] as const;
  });
  return { scene, members: new Map(members) };
}

/** A node's notice about the newest epoch of a scene. */
export function notice(scene: GroupScene, nodeId: string, changed: Partial<GroupDue> = {}): GroupDue {
  const { deal, request } = scene.newest as DealtEpoch;
  return {
    kind: 'due',
    nodeId,
    groupId: GROUP_ID,
    epoch: request.epoch,
    epochId: deal.epochId,
    reason: 'left',
    out: [deviceOf('eve')],
    order: [deviceOf('alice'), deviceOf('bob')],
    boundSeconds: BOUND_MS / 1000,
    ...changed,
  };
}
