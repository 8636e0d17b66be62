import { MAX_REMOVED, receiveEcho } from '@symmetra/protocol';
import type { NodeGroup } from '@symmetra/protocol';
import { describe, expect, it } from 'vitest';
import { ALICE, BOB, CAROL, DAVE, dealOn, device, groupNodes, inForceAt, nodeNames } from './group-nodes.js';
import type { Base, Dealt, GroupNode, Wish } from './group-nodes.js';
import { codeOf } from './protocol-world.js';

/*
 * GRP-11: a rotation is in force at the first node alone. Members leave at all nodes, and those that only echoed the
 * rotation give it up; then a manager that did not hear of it deals on the rotation.
 */
interface Rotated {
  readonly nodes: GroupNode[];
  readonly first: GroupNode;
  /** Echoed the rotation, and do not have it in force. */
  readonly others: GroupNode[];
  readonly base: Base;
  readonly rotated: Base;
  deal(base: Base, wish?: Wish): Dealt;
}

/** @param echoing how many of n nodes echoed the rotation: the first ones. */
function rotated(n: number, k: number, echoing: number, added = [ALICE, BOB, CAROL, DAVE]): Rotated {
  const names = nodeNames(n);
  const nodes = groupNodes(n, k);
  for (const node of nodes) node.rules = { ...node.rules, groupMembers: 1000 };
  const header = { managers: [ALICE, BOB] };
  const base = inForceAt(nodes, dealOn(undefined, names, k, { added, header }));
  const deal = (on: Base, wish: Wish = {}): Dealt => dealOn(on, names, k, wish);
  const rotation = deal(base);
  const [first, ...others] = nodes.slice(0, echoing) as [GroupNode, ...GroupNode[]];
  for (const node of [first, ...others]) node.receive(rotation);
  hearAll(first, nodes);
  expect(first.settle()).toBe(true);
  return { nodes, first, others, base, rotated: rotation.next, deal };
}

function hearAll(node: GroupNode, nodes: readonly GroupNode[]): void {
  for (const other of nodes) if (other !== node) node.hear(other);
}

describe('GRP-11: a leave of which nodes gave an epoch up', () => {
  it.each([
    ['without', 5, 2, 4],
    ['without', 3, 2, 3],
    ['with', 4, 2, 3],
  ])('MEMBER_LEFT: is not outweighed by these, %s a node that lies, of %i nodes', (lies, n, k, echoing) => {
    const { nodes, first, others, rotated: base, deal } = rotated(n, k, echoing);
    for (const node of nodes) node.out(DAVE, 'left');
    const staying = deal(base, { dealer: BOB });
    expect(codeOf(() => first.receive(staying))).toBe('MEMBER_LEFT');
    for (const node of others) {
      hearAll(node, nodes);
      const { epoch, dealHash } = { ...staying.request, ...staying.deal };
      if (lies === 'with') node.echoes = receiveEcho(node.echoes, `n${n}`, [{ epoch, dealHash }]);
      expect(codeOf(() => node.receive(staying, first))).toBe('MEMBER_LEFT');
    }
    const removing = deal(base, { removed: [DAVE], header: { epoch: 4, barrier: 4 } });
    for (const node of [first, ...others]) {
      expect(codeOf(() => node.receive(removing, first))).toBe('done');
    }
  });

  it('is outweighed by q others that stand by the epoch', () => {
    const { nodes, others, rotated: base, deal } = rotated(5, 2, 4);
    const [late, ...standing] = others as [GroupNode, ...GroupNode[]];
    late.out(DAVE, 'left');
    for (const node of standing) {
      hearAll(node, nodes);
      expect(node.settle()).toBe(true);
    }
    const staying = deal(base, { dealer: BOB });
    hearAll(late, nodes);
    expect(codeOf(() => late.receive(staying, standing[0]))).toBe('done');
    expect(late.state?.out).toEqual([]);
  });

  it('does not count for whom the epoch removed: it may be added again', () => {
    const names = nodeNames(3);
    const nodes = groupNodes(3, 2) as [GroupNode, GroupNode, GroupNode];
    const [one, two] = nodes;
    const added = [ALICE, BOB, CAROL, DAVE];
    const base = inForceAt(nodes, dealOn(undefined, names, 2, { added }));
    const removal = dealOn(base, names, 2, { removed: [DAVE] });
    for (const node of nodes) node.out(DAVE, 'left');
    for (const node of [one, two]) node.receive(removal);
    one.hear(two);
    expect(one.settle()).toBe(true);
    two.receive(dealOn(base, names, 2, { removed: [DAVE], header: { epoch: 3, barrier: 3 } }));
    two.hear(one);
    const again = dealOn(removal.next, names, 2, { added: [DAVE], header: { epoch: 4 } });
    expect(codeOf(() => two.receive(again, one))).toBe('done');
    expect(two.state?.out).toEqual([]);
  });

  it('is kept for the next deal, when more left than one deal can remove', () => {
    const crowd = Array.from({ length: MAX_REMOVED + 1 }, (_, i) => device(`crowd ${i}`));
    const { first, others, rotated: base, deal } = rotated(3, 2, 3, [ALICE, BOB, ...crowd]);
    const [second, third] = others as [GroupNode, GroupNode];
    const [dave] = crowd as [Uint8Array];
    const out = crowd.map((deviceId) => ({ deviceId, reason: 'left' as const }));
    for (const node of [first, second, third]) {
      node.out(dave, 'left');
      node.state = { ...(node.state as NodeGroup), out };
    }
    hearAll(second, [first, third]);
    const removing = deal(base, { removed: crowd.slice(1) });
    expect(codeOf(() => second.receive(removing, first))).toBe('done');
    first.receive(removing);
    second.hear(first);
    expect(second.settle()).toBe(true);
    expect([second.roster.size, second.isSuspended()]).toEqual([3, true]);
  });
});
