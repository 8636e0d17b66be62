import { MAX_GIVEN_UP, abandonDeal, echoOf, receiveEcho } from '@symmetra/protocol';
import type { GroupDeal, NodeGroup } from '@symmetra/protocol';
import { describe, expect, it } from 'vitest';
import { ALICE, BOB, CAROL, DAVE, dealOn, gossip, groupNodes, inForceAt, nodeNames } from './group-nodes.js';
import type { Base, Dealt, GroupNode, Wish } from './group-nodes.js';
import { codeOf } from './protocol-world.js';

const N = 4;
const K = 2;

type Four = [GroupNode, GroupNode, GroupNode, GroupNode];

const deal = (base: Base | undefined, wish: Wish = {}): Dealt => dealOn(base, nodeNames(N), K, wish);

/** A group of four nodes, three of which have to echo. */
const network = () => {
  const nodes = groupNodes(N, K) as Four;
  const added = [ALICE, BOB, CAROL, DAVE];
  return { nodes, base: inForceAt(nodes, dealOn(undefined, nodeNames(N), K, { added })) };
};

const hearAll = (node: GroupNode, nodes: readonly GroupNode[]): void => {
  for (const other of nodes) if (other !== node) node.hear(other);
};

describe('GRP-11: an epoch that half of the nodes have in force', () => {
  /**
   * Two have the removal of Dave in force, on the echo of a third, which gave it up for a deal on the epoch before, and
   * never heard from them; the fourth was down.
   */
  const halves = () => {
    const { nodes, base } = network();
    const [one, two, three, four] = nodes;
    const removal = deal(base, { removed: [DAVE] });
    for (const node of [one, two, three]) node.receive(removal);
    for (const node of [one, two]) {
      hearAll(node, nodes);
      expect(node.settle()).toBe(true);
    }
    const other = deal(base, { header: { epoch: 3 } });
    for (const node of [three, four]) node.receive(other);
    for (const node of nodes) node.restart();
    return { nodes, one, two, three, four, base, removal };
  };

  it('is followed again by all: the one that echoed it is one of the q, and the rest follows these', () => {
    const { nodes, one, two, three, four, removal } = halves();
    const next = deal(removal.next, { header: { epoch: 4 } });
    for (const node of [one, two]) node.receive(next);
    expect(codeOf(() => three.receive(next, one))).toBe('GROUP_BEHIND');
    hearAll(three, nodes);
    expect(codeOf(() => three.receive(next, one))).toBe('done');
    hearAll(four, nodes);
    expect(codeOf(() => four.receive(next, one))).toBe('done');
    gossip(nodes);
    for (const { state, roster } of nodes) {
      expect(state?.inForce?.epochId).toEqual(next.next.epochId);
      expect(roster.placeOf(DAVE)).toBeUndefined();
      expect(state?.givenUp).toBeUndefined();
    }
  });

  it('GROUP_BEHIND: not by a node that never echoed it: what is given up does not count there', () => {
    const { nodes, one, four, removal } = halves();
    hearAll(four, nodes);
    const next = deal(removal.next, { header: { epoch: 4 } });
    expect(codeOf(() => four.receive(next, one))).toBe('GROUP_BEHIND');
  });

  it('is not passed over by a deal that brings back whom it removed; by another one it is', () => {
    const { nodes, one, three, four, base } = halves();
    const back = deal(base, { header: { epoch: 4 } });
    for (const node of [three, four]) node.receive(back);
    hearAll(one, nodes);
    expect(codeOf(() => one.receive(back, three))).toBe('GROUP_BEHIND');
    const without = deal(base, { removed: [DAVE], header: { epoch: 5, barrier: 5 } });
    for (const node of [three, four]) node.receive(without);
    hearAll(one, nodes);
    expect(codeOf(() => one.receive(without, three))).toBe('done');
  });

  it('GROUP_BEHIND: not on the word of one that lies, also where it was echoed and given up', () => {
    const { nodes, base } = network();
    const [one, , three] = nodes;
    const overtaken = deal(base, { removed: [BOB] });
    three.receive(overtaken);
    three.receive(deal(base, { header: { epoch: 3 } }));
    const { header, tag, dealHash } = overtaken.deal;
    const next = deal(overtaken.next, { header: { epoch: 4 } });
    const given = { base: { header, tag, roster: overtaken.next.roster } };
    for (const node of [one, three]) {
      hearAll(node, nodes);
      node.echoes = receiveEcho(node.echoes, 'n2', [
        { epoch: 2, dealHash },
        { epoch: 4, dealHash, givenUp: true },
      ]);
      const part = next.parts[nodes.indexOf(node)] as GroupDeal;
      expect(codeOf(() => node.receivePart(part, ALICE, given))).toBe('GROUP_BEHIND');
    }
  });
});

describe('GRP-11: the first epoch of a group, in force at one of four nodes', () => {
  /** Three echoed it; a revocation, or a higher deal, had two of these give it up. */
  const began = () => {
    const nodes = groupNodes(N, K) as Four;
    const added = [ALICE, BOB, CAROL, DAVE];
    const first = { added, header: { managers: [ALICE, BOB] } };
    const base = deal(undefined, first);
    const up = nodes.slice(0, 3) as [GroupNode, GroupNode, GroupNode];
    for (const node of up) node.receive(base);
    hearAll(up[0], nodes);
    expect(up[0].settle()).toBe(true);
    return { nodes, up, first, base: base.next };
  };

  it('two deals that follow it split the nodes: all take the higher one', () => {
    const { nodes, up, base } = began();
    const [one, two, three] = up;
    for (const node of up) node.out(DAVE, 'revoked');
    const alice = deal(base, { removed: [DAVE] });
    const bob = deal(base, { dealer: BOB, removed: [DAVE], header: { epoch: 3, barrier: 3 } });
    for (const node of [two, three]) {
      hearAll(node, nodes);
      node.receive(alice, one);
    }
    one.receive(bob);
    for (const node of [two, three]) {
      hearAll(node, nodes);
      expect(codeOf(() => node.receive(bob, one))).toBe('done');
    }
    gossip(up);
    expect(up.map(({ state }) => state?.inForce?.epoch)).toEqual([3, 3, 3]);
  });

  it('two others took another first epoch: they follow the one that they gave up', () => {
    const { nodes, up, first, base } = began();
    const [one, ...others] = up;
    const anew = deal(undefined, { ...first, seed: 'anew', header: { ...first.header, epoch: 2 } });
    for (const node of others) node.receive(anew);
    const next = deal(base, { header: { epoch: 3 } });
    one.receive(next);
    for (const node of others) {
      hearAll(node, nodes);
      expect(codeOf(() => node.receive(next, one))).toBe('done');
    }
    gossip(up);
    expect(up.map(({ state }) => state?.inForce?.epoch)).toEqual([3, 3, 3]);
  });
});

describe('GRP-5: what a node gave up', () => {
  it('brings nothing into force', () => {
    const { nodes, base } = network();
    const [one, two, three] = nodes;
    const rotation = deal(base);
    for (const node of [one, two, three]) node.receive(rotation);
    three.out(DAVE, 'left');
    hearAll(one, nodes);
    expect(one.settle()).toBe(false);
  });

  it('is named, over a restart too, until another epoch is in force, and no more of it than the newest', () => {
    const { nodes, base } = network();
    const [one] = nodes;
    for (let epoch = 2; epoch < MAX_GIVEN_UP + 4; epoch++) one.receive(deal(base, { header: { epoch } }));
    one.restart();
    const state = one.state as NodeGroup;
    const named = echoOf(state).filter(({ givenUp }) => givenUp === true);
    expect(named.map(({ epoch }) => epoch)).toEqual(
      Array.from({ length: MAX_GIVEN_UP }, (_, i) => MAX_GIVEN_UP + 2 - i),
    );
    inForceAt(nodes, deal(base, { header: { epoch: 100 } }));
    expect(echoOf(one.state as NodeGroup)).toMatchObject([{ epoch: 100 }, { epoch: 1 }]);
  });

  it('is what it stands by again when it takes the same deal again', () => {
    const { nodes, base } = network();
    const [one] = nodes;
    const rotation = deal(base);
    one.receive(rotation);
    one.state = abandonDeal(one.state as NodeGroup).state;
    one.receive(rotation);
    expect(echoOf(one.state).map(({ epoch, givenUp = false }) => [epoch, givenUp])).toEqual([
      [2, false],
      [1, false],
    ]);
  });
});
