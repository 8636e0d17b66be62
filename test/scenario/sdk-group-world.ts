import { setImmediate as nextTurn } from 'node:timers/promises';
import { SymmetraError, signatureKeygen, toHex } from '@symmetra/crypto';
import {
  DEFAULT_POLICY,
  Roster,
  decodeGroupHeader,
  encodeGroupDue,
  groupEpochId,
  signBroadcast,
} from '@symmetra/protocol';
import type { Descriptor, GroupDue, GroupHeader, Policy, WelcomeFields } from '@symmetra/protocol';
import { createLogger } from '@symmetra/runtime';
import { openMemoryStore } from '@symmetra/storage';
import type { Store } from '@symmetra/storage';
import { ManualClock, Prng } from '@symmetra/testing';
import { NodeRefusal } from '../../packages/sdk/src/failure.js';
import { Groups } from '../../packages/sdk/src/group/groups.js';
import type { GroupListener } from '../../packages/sdk/src/group/groups.js';
import { DeviceGroups } from '../../packages/sdk/src/group/device-groups.js';
import { DeviceState } from '../../packages/sdk/src/state/device-state.js';
import { Timers } from '../../packages/sdk/src/timers.js';
import { GROUP_ID, NODE_IDS, TreeNode, deviceOf, floorsOf } from './group-world.js';
import type { DealtEpoch } from './group-world.js';
import { CONTEXT } from './protocol-world.js';

const BOUND_SECONDS = 10;

/** The signing keys of the nodes. */
const SIGNING = new Map(
  NODE_IDS.map((id) => [id as string, signatureKeygen(new Prng(`signing ${id}`).bytes(32))]),
);

/** A call that a device made to a node. */
export interface NodeCall {
  readonly nodeId: string;
  readonly method: string;
  readonly request: Readonly<Record<string, unknown>>;
}

interface DealCall {
  readonly header: Uint8Array;
  readonly tag: Uint8Array;
  readonly share: Uint8Array;
  readonly removed: Uint8Array;
  readonly added: Uint8Array;
  readonly staged: number;
}

/** Three nodes that take what a device deals, unless a test has them refuse it. */
export class FakeNodes {
  readonly calls: NodeCall[] = [];
  /** By node: what its next answers to deals are instead. */
  readonly refusals = new Map<string, SymmetraError[]>();
  /** Nodes at which every call fails. */
  readonly down = new Set<string>();
  /** Whether the nodes have the caller in the group no more. */
  isOut = false;
  /** Devices to which nothing is brought. */
  readonly deaf = new Set<string>();
  inForce: DealtEpoch | undefined;
  roster = Roster.of([]);
  readonly suspected: string[] = [];
  readonly #trees: readonly TreeNode[];
  readonly #staged = new Map<string, Uint8Array[]>();
  readonly #taken = new Map<string, Set<string>>();
  readonly #members = new Map<string, (nodeId: string, welcome: WelcomeFields) => void>();

  constructor() {
    this.#trees = NODE_IDS.map((id) => new TreeNode(CONTEXT.suites.get(1), id));
  }

  /** What a device calls nodes by. */
  readonly connection = {
    call: async (nodeId: string, method: string, request: object): Promise<unknown> => {
      const name = method.slice(method.lastIndexOf('/') + 1);
      this.calls.push({ nodeId, method: name, request: { ...request } });
      await nextTurn();
      if (this.down.has(nodeId)) throw new SymmetraError('NODE_UNREACHABLE', 'the node is down');
      switch (name) {
        case 'Deal':
          return this.#deal(nodeId, request as DealCall);
        case 'Stage':
          return this.#stage(nodeId, request as { offset: number; members: Uint8Array });
        case 'GetRoster':
          if (this.isOut) throw new NodeRefusal(nodeId, 'GROUP_NOT_MEMBER', 'refused', {});
          return this.#page((request as { from: number }).from);
        default:
          return {};
      }
    },
    callHome: async (method: string, request: object): Promise<unknown> => {
      this.calls.push({ nodeId: 'home', method, request: { ...request } });
      const refusal = this.refusals.get('home')?.shift();
      if (refusal !== undefined) throw refusal;
      return { handedOver: 2 };
    },
    suspect: (nodeIds: Iterable<string>): void => void this.suspected.push(...nodeIds),
  };

  /** Brings what is in force to a device, each time. */
  join(name: string, deliver: (nodeId: string, welcome: WelcomeFields) => void): void {
    this.#members.set(name, deliver);
  }

  /** The deals that a node got, as they came. */
  deals(nodeId: string): readonly DealCall[] {
    return this.calls
      .filter((call) => call.nodeId === nodeId && call.method === 'Deal')
      .map(({ request }) => request as unknown as DealCall);
  }

  refuse(
    code: string,
    details: Readonly<Record<string, string>> = {},
    nodes: readonly string[] = NODE_IDS,
  ): void {
    for (const nodeId of nodes) {
      const waiting = this.refusals.get(nodeId) ?? [];
      this.refusals.set(nodeId, [...waiting, new NodeRefusal(nodeId, code, 'refused', details)]);
    }
  }

  #deal(nodeId: string, deal: DealCall): unknown {
    const refusal = this.refusals.get(nodeId)?.shift();
    if (refusal !== undefined) throw refusal;
    const header = decodeGroupHeader(CONTEXT, deal.header);
    const epochId = groupEpochId(CONTEXT.suites.get(1), deal.header);
    const isInForce = this.inForce !== undefined && toHex(this.inForce.deal.epochId) === toHex(epochId);
    const newest = this.inForce?.request.epoch ?? 0;
    if (!isInForce && header.epoch <= newest) {
      throw new NodeRefusal(nodeId, 'GROUP_EPOCH_OLD', 'refused', { epoch: String(newest) });
    }
    const taken = this.#taken.get(toHex(epochId)) ?? new Set();
    this.#taken.set(toHex(epochId), taken.add(nodeId));
    if (taken.size === 2 && !isInForce) this.#bring(nodeId, header, epochId, deal);
    return { dealHash: new Uint8Array(32), inForce: taken.size >= 2 };
  }

  #bring(nodeId: string, header: GroupHeader, epochId: Uint8Array, deal: DealCall): void {
    const added = deal.staged > 0 ? (this.#staged.get(nodeId) ?? []) : idsIn(deal.added);
    const changes = this.roster.plan(idsIn(deal.removed), added);
    const shares = this.calls
      .filter(({ method, request }) => method === 'Deal' && request['header'] === deal.header)
      .map(({ nodeId: node, request }) => [node, (request['share'] as Uint8Array).slice()] as const);
    const byNode = new Map(shares);
    const dealt = {
      deal: {
        ...deal,
        epochId,
        dealHash: epochId,
        shares: NODE_IDS.map((id) => ({ bytes: byNode.get(id) ?? new Uint8Array(0) })),
      },
      request: header,
      changes,
    } as unknown as DealtEpoch;
    this.roster.apply(changes);
    this.inForce = dealt;
    for (const tree of this.#trees) tree.bring(dealt);
    for (const name of this.#members.keys()) this.deliver(name);
  }

  /** Brings the epoch in force to a device, from the nodes that have shares of it. */
  deliver(name: string): void {
    if (this.deaf.has(name) || this.roster.placeOf(deviceOf(name)) === undefined) return;
    for (const [i, tree] of this.#trees.entries()) {
      if ((this.inForce?.deal.shares[i]?.bytes.length ?? 0) === 0) continue;
      this.#members.get(name)?.(tree.nodeId, tree.welcome(name));
    }
  }

  #stage(nodeId: string, { offset, members }: { offset: number; members: Uint8Array }): unknown {
    const before = offset === 0 ? [] : (this.#staged.get(nodeId) ?? []);
    if (before.length !== offset) throw new NodeRefusal(nodeId, 'STAGE_OUT_OF_ORDER', 'refused', {});
    this.#staged.set(nodeId, [...before, ...idsIn(members)]);
    return { staged: before.length + members.length / 32 };
  }

  #page(from: number): unknown {
    if (this.inForce === undefined) throw new SymmetraError('GROUP_UNKNOWN', 'there is no such group');
    const { epochId, header } = this.inForce.deal;
    const entries = [...this.roster.members(from)].slice(0, 1000).map(({ place, deviceId }) => ({
      place,
      device: deviceId,
      confirmed: false,
    }));
    const last = entries.at(-1)?.place;
    const next = entries.length === 1000 && last !== undefined ? last + 1 : 0;
    return { epochId, header, entries, next };
  }
}

/** GRP-10: what a node signs about the epoch in force; `changed` may make it another one. */
export function signedNotice(nodes: FakeNodes, nodeId: string, changed: Partial<GroupDue>) {
  const { deal, request } = nodes.inForce as DealtEpoch;
  const content = encodeGroupDue(CONTEXT, {
    nodeId,
    groupId: GROUP_ID,
    epoch: request.epoch,
    epochId: deal.epochId,
    reason: 'left',
    out: [],
    order: request.managers,
    boundSeconds: BOUND_SECONDS,
    ...changed,
  });
  const secretKey = SIGNING.get(nodeId)?.secretKey ?? new Uint8Array(0);
  return { content: Buffer.from(content), signature: Buffer.from(signBroadcast(content, secretKey)) };
}

function idsIn(bytes: Uint8Array): Uint8Array[] {
  return Array.from({ length: bytes.length / 32 }, (_, i) => bytes.slice(32 * i, 32 * (i + 1)));
}

/** A device of which only the groups are real. */
export interface SceneDevice {
  readonly groups: Groups;
  readonly group: DeviceGroups;
  readonly clock: ManualClock;
  readonly state: DeviceState;
  /** Below the device's state; a test may have it fail. */
  readonly store: Store;
  readonly told: { readonly kind: string; readonly about: unknown }[];
  /** Lets time pass, with everything that happens meanwhile. */
  pass(ms: number): Promise<void>;
  /** Ends it without any good-bye. */
  crash(): void;
}

/** A device at the fake nodes, over a store that outlives it. */
export async function sceneDevice(
  name: string,
  nodes: FakeNodes,
  {
    store = openMemoryStore(),
    clock = new ManualClock(),
    policy = {},
  }: { store?: Store; clock?: ManualClock; policy?: Partial<Policy> } = {},
): Promise<SceneDevice> {
  const timers = new Timers(clock);
  const prng = new Prng(`${name} ${clock.now()}`);
  const told: { kind: string; about: unknown }[] = [];
  const tell = (kind: string) => (about: unknown) => void told.push({ kind, about });
  const listener: GroupListener = {
    group: tell('group'),
    groupMessage: tell('groupMessage'),
    groupDue: tell('groupDue'),
    groupEnded: tell('groupEnded'),
    failure: tell('failure'),
  };
  const state = new DeviceState(store);
  const descriptor = {
    nodes: NODE_IDS.map((id) => ({ id, signingKey: SIGNING.get(id)?.publicKey })),
    threshold: 2,
    version: 7,
  } as unknown as Descriptor;
  const deviceId = deviceOf(name);
  const groups = await Groups.load({
    context: CONTEXT,
    deviceId,
    state,
    descriptors: { current: descriptor, refresh: async () => descriptor },
    policies: {
      current: { ...DEFAULT_POLICY, groupBoundSeconds: BOUND_SECONDS, ...policy },
      revision: 3,
      suites: [1, 2, 3],
      suiteFor: (id: number) => id,
      floors: () => floorsOf(),
    },
    nodeClock: { now: () => clock.now() },
    random: { bytes: (length: number) => (length === 16 ? GROUP_ID : prng.bytes(length)) },
    timers,
    logger: createLogger({ level: 'silent', clock }),
    connection: () => nodes.connection,
    listener,
  } as unknown as Parameters<typeof Groups.load>[0]);
  nodes.join(name, (nodeId, welcome) => groups.welcome(nodeId, welcome as never));
  const parts = { groups, device: { deviceId }, suiteId: () => 1 };
  return {
    groups,
    group: new DeviceGroups(parts, async (task) => task()),
    clock,
    state,
    store,
    told,
    async pass(ms) {
      const step = ms > 60_000 ? 1000 : 50;
      for (let passed = 0; passed < ms; passed += step) {
        for (let turn = 0; turn < 6; turn++) await nextTurn();
        clock.advance(step);
      }
      for (let turn = 0; turn < 6; turn++) await nextTurn();
    },
    crash: () => timers.close(),
  };
}
