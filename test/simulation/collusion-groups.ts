import { AuthenticationError, sha256, signatureKeygen, toHex, utf8 } from '@symmetra/crypto';
import { decodeGroupHeader, encodeEpochBroadcast, signBroadcast } from '@symmetra/protocol';
import type { Deal, MemberGroup } from '@symmetra/protocol';
import { keyAtStep, sealUnder } from '../../packages/protocol/src/tree/key.js';
import type { Cell, Trial } from './collusion-cells.js';
import { GroupAttacker } from './collusion-group-attacker.js';
import { CollusionGroupWorld, THRESHOLD } from './collusion-group-world.js';
import { verdictOf } from './collusion-table.js';
import type { SignedBroadcast } from './group-wire.js';
import { NODE_IDS } from './node-identity.js';

const KEY_BYTES = 32;
/** So many epochs that the first ones are erased at their members (GRP-9). */
const ERASING = 6;

/** What the nodes of a coalition do beside writing everything down. */
type GroupStrategy = (world: CollusionGroupWorld, attacker: GroupAttacker, nodes: readonly string[]) => void;

const faithful: GroupStrategy = () => undefined;

/** An epoch that the coalition dealt in Alice's name, delivered by its nodes, and put before the honest ones. */
const ownEpoch: GroupStrategy = (world, attacker, nodes) => {
  const deal = world.dealt('alice', [], []);
  attacker.learnDeal(deal);
  for (const id of nodes) {
    for (const device of ['alice', 'bob']) welcome(world, device, id, deal, shareOf(deal, id));
  }
  for (const node of world.nodes.filter(({ id }) => !nodes.includes(id))) {
    world.attempt(() => world.approve(node, 'mallory', deal, [], []));
  }
};

/** Mallory deals, who was removed: for a group with her in it. */
const removedDealer: GroupStrategy = (world, attacker, nodes) => {
  const deal = world.dealt('mallory', ['mallory'], []);
  attacker.learnDeal(deal);
  for (const node of world.nodes.filter(({ id }) => !nodes.includes(id))) {
    world.attempt(() => world.approve(node, 'mallory', deal, ['mallory'], []));
  }
};

/** Other shares of a true header. */
const otherShares: GroupStrategy = (world, _, nodes) => {
  const deal = world.dealt('alice', [], []);
  for (const id of nodes) welcome(world, 'alice', id, deal, world.fresh(KEY_BYTES));
};

const STRATEGIES: readonly GroupStrategy[] = [faithful, ownEpoch, removedDealer, otherShares];

function welcome(
  world: CollusionGroupWorld,
  device: string,
  nodeId: string,
  { header, tag }: Deal,
  share: Uint8Array,
): void {
  const { height } = decodeGroupHeader(world.context, header);
  const pathKeys = world.fresh((height + 1) * KEY_BYTES);
  world.welcome(device, nodeId, { header, tag, share, place: 0, step: 9, pathKeys });
}

function shareOf(deal: Deal, nodeId: string): Uint8Array {
  const share = deal.shares[NODE_IDS.indexOf(nodeId as (typeof NODE_IDS)[number])];
  if (share === undefined) throw new Error('the deal has no share for this node');
  return share.bytes.slice();
}

/** All sets of at least `least` and at most `most` nodes. */
function coalitionsOf(least: number, most: number): readonly (readonly string[])[] {
  const sets = Array.from({ length: 2 ** NODE_IDS.length }, (_, bits) =>
    NODE_IDS.filter((_id, i) => (bits & (1 << i)) !== 0),
  );
  return sets.filter(({ length }) => length >= least && length <= most);
}

/** The keys that honest members held of epochs in which none of `devices` is, in hexadecimal. */
function keysOutside(
  world: CollusionGroupWorld,
  honest: readonly string[],
  devices: readonly string[],
): Set<string> {
  const inside = new Set(
    world.epochs
      .filter(({ members }) => devices.some((device) => members.has(device)))
      .map(({ deal }) => toHex(deal.epochId)),
  );
  const epochs = honest.flatMap((name) => world.states.get(name) ?? []).flatMap((state) => state.epochs);
  return new Set(
    epochs
      .filter(({ epochId }) => !inside.has(toHex(epochId)))
      .map(({ applicationKey }) => toHex(applicationKey.bytes)),
  );
}

function trialOf(world: CollusionGroupWorld, attacker: GroupAttacker, targets: ReadonlySet<string>): Trial {
  const keys = attacker.compute();
  const learned = [...targets].some((key) => keys.has(key));
  return { learned, refusals: world.refusals, accepted: targets.size };
}

/** Mallory is removed after the first epoch; Trudy comes after the third. */
function story(): CollusionGroupWorld {
  const world = new CollusionGroupWorld('removed and future members');
  world.change(['alice', 'bob', 'mallory'], []);
  world.change([], ['mallory']);
  world.change([], []);
  return world;
}

/** Nodes of a coalition, with everything that a removed and a future member ever held. */
function nodesWithMembers(
  nodes: readonly string[],
  strategy: GroupStrategy,
  leaks: readonly string[],
): Trial {
  const world = story();
  const attacker = new GroupAttacker(world);
  strategy(world, attacker, nodes);
  world.change(['trudy'], []);
  attacker.hear();
  for (const id of nodes) attacker.learnNode(world.node(id));
  for (const device of ['mallory', 'trudy']) {
    for (const state of world.states.get(device) ?? []) attacker.learnState(device, state);
  }
  const { epochId } = world.epoch(1).deal;
  for (const id of leaks) {
    const share = world.node(id).shares.get(toHex(epochId));
    if (share) attacker.learnShare(id, epochId, share);
  }
  return trialOf(world, attacker, keysOutside(world, ['alice', 'bob'], ['mallory', 'trudy']));
}

/** Fewer than k nodes. Missing: the share of one more node. */
function fewer(): Cell {
  const coalitions = coalitionsOf(THRESHOLD - 1, THRESHOLD - 1);
  return {
    trials: coalitions.map((nodes) => STRATEGIES.map((strategy) => nodesWithMembers(nodes, strategy, []))),
    controls: coalitions.map((nodes) => {
      const others = NODE_IDS.filter((id) => !nodes.includes(id));
      return nodesWithMembers(nodes, faithful, others.slice(0, 1));
    }),
  };
}

function several(): Cell {
  const coalitions = coalitionsOf(THRESHOLD, NODE_IDS.length);
  return { trials: coalitions.map((nodes) => [nodesWithMembers(nodes, faithful, [])]), controls: [] };
}

/** A member's state, and every broadcast. Missing: what it held before it erased. */
function seized(): Cell {
  const run = (at: 'end' | 'begin'): Trial => {
    const world = new CollusionGroupWorld('seized');
    world.change(['alice', 'bob'], []);
    const early = world.members.get('bob') as MemberGroup;
    for (let i = 1; i < ERASING; i++) world.change([], []);
    const late = world.members.get('bob') as MemberGroup;
    const held = new Set(
      [...early.epochs, ...late.epochs].map(({ applicationKey }) => toHex(applicationKey.bytes)),
    );
    const erased = [...keysOutside(world, ['bob'], [])].filter((key) => !held.has(key));
    const attacker = new GroupAttacker(world);
    attacker.hear();
    attacker.learnState('bob', at === 'end' ? late : early);
    return trialOf(world, attacker, new Set(erased));
  };
  return { trials: [[run('end')]], controls: [run('begin')] };
}

/** A copy of Bob's first state, and every broadcast of the epochs in which he stays, or from which he is removed. */
export function copied(then: 'stays' | 'is removed'): Cell {
  const world = new CollusionGroupWorld('copied');
  world.change(['alice', 'bob', 'trudy'], []);
  const copy = world.members.get('bob') as MemberGroup;
  world.change([], then === 'stays' ? [] : ['bob']);
  world.change([], []);
  const attacker = new GroupAttacker(world);
  attacker.hear();
  attacker.learnState('bob', copy);
  const before = new Set(copy.epochs.map(({ applicationKey }) => toHex(applicationKey.bytes)));
  const later = [...keysOutside(world, ['alice'], [])].filter((key) => !before.has(key));
  return { trials: [[trialOf(world, attacker, new Set(later))]], controls: [] };
}

/** Bob has all keys of the tree, and makes broadcasts of an epoch that he dealt himself. Missing: the nodes' signing keys. */
function forged(): Cell {
  const run = (signs: 'himself' | 'as the nodes'): Trial => {
    const world = new CollusionGroupWorld('forged');
    world.change(['alice', 'bob'], []);
    world.change([], []);
    const attacker = new GroupAttacker(world);
    attacker.hear();
    const deal = world.dealt('alice', [], []);
    attacker.learnDeal(deal);
    for (const id of NODE_IDS) {
      const content = broadcastOf(world, id, deal, world.members.get('bob') as MemberGroup);
      world.spread(signs === 'himself' ? signedByBob(content) : world.signing.sign(id, content));
    }
    const dealt = new Set(world.epochs.map(({ deal: { epochId } }) => toHex(epochId)));
    const made = (world.states.get('alice') ?? [])
      .flatMap(({ epochs }) => epochs)
      .filter(({ epochId }) => !dealt.has(toHex(epochId)));
    const targets = new Set(made.map(({ applicationKey }) => toHex(applicationKey.bytes)));
    return { ...trialOf(world, attacker, targets), accepted: world.states.get('alice')?.length ?? 0 };
  };
  return { trials: [[run('himself')]], controls: [run('as the nodes')] };
}

function signedByBob(content: Uint8Array): SignedBroadcast {
  const { secretKey } = signatureKeygen(sha256(utf8('bob')));
  return { content, signature: signBroadcast(content, secretKey) };
}

/** GRP-7: a broadcast of a step in which nobody came or went, by who holds the root's key. */
function broadcastOf(
  world: CollusionGroupWorld,
  nodeId: string,
  { header, tag, epochId, shares }: Deal,
  { paths }: MemberGroup,
): Uint8Array {
  const path = paths.find((one) => one.nodeId === nodeId);
  const share = shares[NODE_IDS.indexOf(nodeId as (typeof NODE_IDS)[number])];
  if (path === undefined || share === undefined) throw new AuthenticationError();
  const scope = world.scopeOf(nodeId);
  const root = { level: path.height, index: 0 };
  const step = path.step + 1;
  const nonce = world.fresh(32);
  const key = keyAtStep(scope, root, { key: path.keys.bytes.subarray(-KEY_BYTES), step: path.step }, step);
  const sealedShare = sealUnder(scope, { step, nonce, epochId }, 'groupShareSeal', root, key, share.bytes);
  const content = encodeEpochBroadcast(world.context, {
    nodeId,
    headerBytes: header,
    tag,
    from: path.epochId,
    step,
    nonce,
    vacated: [],
    taken: [],
    seals: [],
    sealedShare,
  });
  if (content === undefined) throw new Error('the broadcast is too long');
  return content;
}

interface GroupRow {
  readonly name: string;
  readonly run: () => Cell;
  readonly note?: string;
}

export const GROUP_ROWS: readonly GroupRow[] = [
  { name: 'fewer than k nodes, active, with any removed and any future members', run: fewer },
  { name: 'a member that is seized, for epochs that it erased', run: seized },
  { name: 'members that forge a broadcast', run: forged, note: 'it is signed' },
  {
    name: "who copied a member's state, as long as that device is a member",
    run: () => copied('stays'),
    note: 'nothing heals it but its removal',
  },
  { name: 'k or more nodes', run: several },
];

/** The table in Markdown, as prettier aligns it. */
export function renderGroupTable(cells: readonly Cell[]): string {
  const lines = [
    ['Coalition', 'learns the key of an epoch that none of its devices is in'],
    ...GROUP_ROWS.map(({ name, note }, i) => {
      const verdict = verdictOf(cells[i] as Cell);
      return [name, note === undefined ? verdict : `${verdict}: ${note}`];
    }),
  ];
  const widths = [0, 1].map((c) => Math.max(...lines.map((cells_) => (cells_[c] ?? '').length)));
  const render = (cells_: readonly string[], fill: string): string =>
    `| ${widths.map((width, c) => (cells_[c] ?? '').padEnd(width, fill)).join(' | ')} |`;
  const [head = [], ...body] = lines;
  return [render(head, ' '), render([], '-'), ...body.map((one) => render(one, ' '))].join('\n');
}
