import { Roster, encodeState, decodeState } from '@symmetra/protocol';
import type { NodeGroup } from '@symmetra/protocol';
import { toHex } from '@symmetra/crypto';
import { describe, expect, test } from 'vitest';
import {
  ALICE,
  BOB,
  CAROL,
  DAVE,
  MALLORY,
  dealOn,
  gossip,
  groupNodes,
  inForceAt,
  nodeNames,
} from './group-nodes.js';
import type { GroupNode, Wish } from './group-nodes.js';
import { codeOf } from './protocol-world.js';

/*
 * GRP-11: nodes that have no epoch, because they are new, among one that lies and one that missed a removal.
 */
const NAMES = nodeNames(4);
const wishes = (wish: Wish): Wish => ({ header: { managers: [ALICE, DAVE] }, ...wish });

/** Dave manages an epoch at four nodes of which three must echo; he is removed while node 4 is down. */
function removal() {
  const nodes = groupNodes(4, 2) as [GroupNode, GroupNode, GroupNode, GroupNode];
  const first = wishes({ added: [ALICE, BOB, CAROL, DAVE] });
  const base = inForceAt(nodes, dealOn(undefined, NAMES, 2, first));
  const removed = dealOn(base, NAMES, 2, { removed: [DAVE], header: { managers: [ALICE] } });
  inForceAt(nodes.slice(0, 3), removed);
  expect(nodes.map(({ state }) => state?.inForce?.epoch)).toEqual([2, 2, 2, 1]);
  return { nodes, base };
}

/** Another node of this id, which has nothing. */
function replaced(node: GroupNode): GroupNode {
  node.state = undefined;
  node.roster = Roster.of([]);
  node.changes = undefined;
  node.echoes = new Map();
  return node;
}

describe('a node that has no epoch', () => {
  test('GRP-11: brings no removed manager back, with one node that lies and one that missed the removal', () => {
    const { nodes, base } = removal();
    const [honest, fresh, liar, down] = nodes;
    replaced(fresh);
    const dealt = dealOn(base, NAMES, 2, { dealer: DAVE, header: { epoch: 3, managers: [DAVE] } });
    down.receive(dealt);
    // The liar says that it never heard of the removal.
    const forged = decodeState<NodeGroup>(encodeState(down.state as NodeGroup));
    liar.state = forged;
    for (const other of [honest, liar, down]) fresh.hear(other);
    expect(codeOf(() => fresh.receive(dealt, down))).toBe('GROUP_UNKNOWN');
    gossip([honest, fresh, down]);
    expect(nodes.map(({ state }) => state?.inForce?.epoch)).toEqual([2, undefined, 1, 1]);
  });

  test('GRP-11: takes a deal on an epoch that q others have in force, or follow with it; nobody is added unchecked', () => {
    const nodes = groupNodes(4, 2) as [GroupNode, GroupNode, GroupNode, GroupNode];
    const base = inForceAt(
      nodes,
      dealOn(undefined, NAMES, 2, wishes({ added: [ALICE, BOB, CAROL], header: { managers: [ALICE] } })),
    );
    const [one, two, three, fresh] = nodes;
    replaced(fresh);
    for (const name of [ALICE, BOB, CAROL, MALLORY]) fresh.standings.set(toHex(name), undefined);
    const stranger = dealOn(base, NAMES, 2, { added: [MALLORY], seed: 'with Mallory' });
    for (const other of [one, two, three]) fresh.hear(other);
    expect(codeOf(() => fresh.receive(stranger, one))).toBe('MEMBER_NOT_ENROLLED');
    const dealt = dealOn(base, NAMES, 2, {});
    one.receive(dealt);
    fresh.hear(one);
    fresh.standings.set(toHex(BOB), { revoked: true, stage: '' });
    expect(codeOf(() => fresh.receive(dealt, two))).toBe('MEMBER_REVOKED');
    fresh.standings.set(toHex(BOB), undefined);
    expect(fresh.receive(dealt, two).changes?.taken).toHaveLength(3);
    two.receive(dealt);
    gossip(nodes);
    expect(nodes.slice(0, 2).map(({ state }) => state?.inForce?.epoch)).toEqual([2, 2]);
    expect(fresh.state?.inForce?.epoch).toBe(2);
  });
});
