import { suites } from '@symmetra/crypto';
import {
  MAX_REMOVED,
  Roster,
  advancePath,
  pathKeysOf,
  plantTree,
  rekey,
  sealGroupMessage,
} from '@symmetra/protocol';
import type { HeldEpoch, NodeGroup, TreeUpdate } from '@symmetra/protocol';
import { describe, expect, it } from 'vitest';
import {
  ALICE,
  BOB,
  CAROL,
  DAVE,
  MALLORY,
  dealOn,
  device,
  gossip,
  groupNodes,
  inForceAt,
  nodeNames,
} from './group-nodes.js';
import type { GroupNode } from './group-nodes.js';
import { scope, stream } from './group-tree-world.js';
import { createdGroup } from './group-world.js';
import { CONTEXT, codeOf } from './protocol-world.js';

const AEAD_TAG_LENGTH = 16;

describe('GRP-11: a node that is behind', () => {
  it.each([
    [3, 2],
    [4, 2],
    [5, 3],
  ])('n = %i, k = %i: keeps an epoch that q nodes may have given to a member', (n, k) => {
    const nodes = groupNodes(n, k);
    const [one] = nodes as [GroupNode];
    const base = inForceAt(nodes, dealOn(undefined, nodeNames(n), k, { added: [ALICE, BOB, CAROL] }));
    const held = dealOn(base, nodeNames(n), k, {});
    const quorum = Math.max(k, Math.floor(n / 2) + 1);
    for (const node of nodes.slice(0, quorum)) {
      node.receive(held);
      one.hear(node);
    }
    expect(one.settle()).toBe(true);
    const other = dealOn(base, nodeNames(n), k, { header: { epoch: 3 } });
    for (const node of nodes.slice(quorum)) {
      node.receive(other);
      one.hear(node);
    }
    expect(codeOf(() => one.receive(other, nodes.at(-1)))).toBe('GROUP_BEHIND');
    expect(one.state?.pending).toBeUndefined();
  });

  it('asks again when it was given other members than the epoch before the deal has', () => {
    const nodes = groupNodes(3, 2);
    const [one, two] = nodes as [GroupNode, GroupNode];
    const base = inForceAt(nodes, dealOn(undefined, nodeNames(3), 2, { added: [ALICE, BOB, CAROL] }));
    const held = inForceAt(nodes.slice(1), dealOn(base, nodeNames(3), 2, {}));
    const dealt = dealOn(held, nodeNames(3), 2, { added: [DAVE] });
    for (const node of nodes.slice(1)) one.hear(node);
    const given = two.given(dealt);
    const devices = [ALICE, BOB, MALLORY];
    const roster = Roster.of(devices.map((deviceId, place) => ({ place, deviceId })));
    const [part] = dealt.parts;
    const code = (changed: object): string =>
      codeOf(() =>
        one.receivePart({ ...part!, share: part!.share.slice() }, ALICE, {
          base: { ...given.base!, ...changed },
        }),
      );
    expect(code({ roster })).toBe('GROUP_BEHIND');
    expect(code({})).toBe('done');
  });

  it('keeps a revocation that q others left for the next deal', () => {
    const crowd = Array.from({ length: MAX_REMOVED + 1 }, (_, i) => device(`crowd ${i}`));
    const nodes = groupNodes(3, 2);
    for (const node of nodes) node.rules = { ...node.rules, groupMembers: 1000 };
    const base = inForceAt(nodes, dealOn(undefined, nodeNames(3), 2, { added: [ALICE, BOB, ...crowd] }));
    const held = inForceAt(nodes.slice(1), dealOn(base, nodeNames(3), 2, {}));
    const out = crowd.map((deviceId) => ({ deviceId, reason: 'revoked' as const }));
    for (const node of nodes) node.state = { ...(node.state as NodeGroup), out };
    const dealt = dealOn(held, nodeNames(3), 2, { removed: crowd.slice(0, MAX_REMOVED) });
    const [one, two, three] = nodes as [GroupNode, GroupNode, GroupNode];
    for (const node of [two, three]) {
      node.receive(dealt);
      one.hear(node);
    }
    one.receive(dealt, two);
    gossip(nodes);
    expect(nodes.map((node) => node.roster.size)).toEqual([3, 3, 3]);
    expect(nodes.map((node) => node.isSuspended())).toEqual([true, true, true]);
  });
});

describe('GRP-11: a first epoch that a revocation splits', () => {
  /** Two of four nodes have it in force; the others gave it up. */
  const split = () => {
    const nodes = groupNodes(4, 2) as [GroupNode, GroupNode, GroupNode, GroupNode];
    const [one, two, three, four] = nodes;
    const base = dealOn(undefined, nodeNames(4), 2, { added: [ALICE, BOB, CAROL] });
    for (const node of nodes) node.receive(base);
    for (const node of [one, two]) {
      for (const other of nodes) if (other !== node) node.hear(other);
      expect(node.settle()).toBe(true);
    }
    for (const node of nodes) node.out(CAROL, 'revoked');
    expect([three, four].map(({ state }) => state?.pending)).toEqual([undefined, undefined]);
    for (const node of nodes) node.restart();
    return { nodes, one, two, three, four, base: base.next };
  };
  const anew = (dealer: Uint8Array, seed = '') =>
    dealOn(undefined, nodeNames(4), 2, {
      dealer,
      added: [dealer, BOB, DAVE],
      header: { epoch: 2, managers: [dealer] },
      seed,
    });

  it('a node that gave it up follows what follows it, as q nodes with itself stood by it', () => {
    const { nodes, one, three, four, base } = split();
    const dealt = dealOn(base, nodeNames(4), 2, { removed: [CAROL] });
    one.receive(dealt);
    three.hear(one);
    expect(codeOf(() => three.receive(dealt, one))).toBe('GROUP_UNKNOWN');
    for (const node of [three, four]) {
      for (const other of nodes) if (other !== node) node.hear(other);
      expect(codeOf(() => node.receive(dealt, one))).toBe('done');
    }
    gossip([one, three, four]);
    expect([one, three, four].map((node) => node.state?.inForce?.epochId)).toEqual(
      Array.from({ length: 3 }, () => dealt.next.epochId),
    );
    expect(three.roster.placeOf(CAROL)).toBeUndefined();
  });

  it('nor does one that never echoed it, while too few others stand by it', () => {
    const { one, two, base } = split();
    const dealt = dealOn(base, nodeNames(4), 2, { removed: [CAROL] });
    const late = groupNodes(4, 2)[3] as GroupNode;
    for (const other of [one, two]) late.hear(other);
    expect(codeOf(() => late.receive(dealt, one))).toBe('GROUP_UNKNOWN');
  });

  it('a node that has it in force takes another first epoch once no member can hold that one', () => {
    const { nodes, one, two, three, four } = split();
    const dealt = anew(ALICE);
    for (const node of [three, four]) expect(codeOf(() => node.receive(dealt))).toBe('done');
    one.hear(three);
    expect(codeOf(() => one.receive(dealt, three))).toBe('GROUP_EXISTS');
    for (const node of [one, two]) {
      for (const other of [three, four]) node.hear(other);
      expect(codeOf(() => node.receive(dealt, three))).toBe('done');
    }
    gossip(nodes);
    gossip(nodes);
    for (const node of nodes) {
      expect(node.state?.inForce?.epochId).toEqual(dealt.next.epochId);
      expect(node.roster.root()).toEqual(dealt.next.roster.root());
      expect(node.isSuspended()).toBe(false);
    }
  });

  it('GROUP_EXISTS: not from a device that may not deal for the group there', () => {
    const { one, three, four } = split();
    const taken = anew(MALLORY, 'taken');
    for (const node of [three, four]) {
      node.receive(taken);
      one.hear(node);
    }
    expect(codeOf(() => one.receive(taken, three))).toBe('GROUP_EXISTS');
  });
});

describe('GRP-6: the tree of a node that was behind', () => {
  it('grows over places that nobody took', () => {
    const taken = [0, 1, 2, 3].map((place) => ({ place, deviceId: device(`${place}`) }));
    const roster = Roster.of(taken);
    const rows = new Map<string, Uint8Array | null>();
    const put = (pages: ReadonlyMap<string, Uint8Array | null>): void => {
      for (const [name, value] of pages) rows.set(name, value);
    };
    const read = (name: string): Uint8Array | undefined => rows.get(name) ?? undefined;
    const random = stream('behind');
    put(plantTree(scope, { places: [0, 1, 2, 3], height: 2, step: 0, random }));
    const paths = taken.map(({ place }) => {
      const keys = pathKeysOf(scope, read, 2, place, 0);
      return { place, height: 2, step: 0, keys };
    });
    // The places from 4 on were taken and left again while the node was down.
    const changes = { vacated: [], taken: [{ place: 8, deviceId: DAVE }] };
    const { height } = roster.outcome(changes);
    expect(height).toBe(4);
    const sealed = { step: 1, nonce: random(32), epochId: random(32), height };
    const share = random(32);
    const { pages, update } = rekey(scope, read, { ...sealed, heightBefore: 2, changes, share, random });
    put(pages);
    for (const path of paths) {
      const followed = advancePath(scope, path, { ...sealed, ...(update as TreeUpdate) });
      expect(followed.share).toEqual(share);
      expect(followed.path.keys).toEqual(pathKeysOf(scope, read, height, path.place, 1));
    }
  });
});

describe('GRP-12: no nonce is used twice under one key', () => {
  /** What covers 64 bytes: the same for the same key and nonce. */
  const covering = (sender: Uint8Array, counter: number, guard: number): Uint8Array => {
    const { members } = createdGroup(suites.get(1), ['alice', 'bob']);
    const epoch = members.get('alice')?.state.epochs[0] as HeldEpoch;
    const from = { sender, counter, guard: new Uint8Array(4).fill(guard) };
    const sealed = sealGroupMessage(CONTEXT, epoch, from, new Uint8Array(0), new Uint8Array(64));
    return sealed.slice(-64 - AEAD_TAG_LENGTH, -AEAD_TAG_LENGTH);
  };

  it.each([
    ['another sender', BOB, 0, 0],
    ['another counter', ALICE, 1, 0],
    ['another guard, of a state that was put back', ALICE, 0, 1],
  ])('not by %s', (_, sender, counter, guard) => {
    expect(covering(ALICE, 0, 0)).toEqual(covering(ALICE, 0, 0));
    expect(covering(sender, counter, guard)).not.toEqual(covering(ALICE, 0, 0));
  });
});
