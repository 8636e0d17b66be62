import { toHex } from '@symmetra/crypto';
import { MAX_EPOCH_SKIP, MAX_REMOVED, Roster } from '@symmetra/protocol';
import type { GroupRules, NodeGroup } from '@symmetra/protocol';
import { describe, expect, it } from 'vitest';
import {
  ALICE,
  BOB,
  CAROL,
  DAVE,
  GroupNode,
  MALLORY,
  dealOn,
  device,
  gossip,
  groupNodes,
  inForceAt,
  nodeNames,
} from './group-nodes.js';
import type { Base, Wish } from './group-nodes.js';
import { codeOf, flipped } from './protocol-world.js';

const NODES = nodeNames(3);
const MEMBERS = [ALICE, BOB, CAROL];
const first = (wish: Wish = {}): ReturnType<typeof dealOn> =>
  dealOn(undefined, NODES, 2, { added: MEMBERS, ...wish });
const next = (base: Base | undefined, wish: Wish = {}): ReturnType<typeof dealOn> =>
  dealOn(base, NODES, 2, wish);
const node = (): GroupNode => new GroupNode('n1', NODES, 2);

/** A group in force at three nodes. */
function group(wish: Wish = {}): { nodes: GroupNode[]; base: Base; one: GroupNode } {
  const nodes = groupNodes(3, 2);
  const base = inForceAt(nodes, first(wish));
  return { nodes, base, one: nodes[0] as GroupNode };
}

describe('GRP-4: what a node checks of a deal by itself', () => {
  it('approves a first epoch, and says what it stands by', () => {
    const one = node();
    const dealt = first();
    const { changes, ...answer } = one.receive(dealt);
    expect(answer).toEqual({
      epoch: 1,
      dealHash: dealt.deal.dealHash,
      epochId: dealt.deal.epochId,
      inForce: false,
    });
    expect(changes?.taken.map(({ deviceId }) => deviceId)).toEqual(MEMBERS);
  });

  it('BAD_HEADER: a header that is not well-formed, a tag of another length', () => {
    const [part] = first().parts;
    expect(codeOf(() => node().receivePart({ ...part!, header: part!.header.slice(1) }, ALICE))).toBe(
      'WRONG_VERSION',
    );
    expect(codeOf(() => node().receivePart({ ...part!, tag: part!.tag.slice(1) }, ALICE))).toBe('BAD_HEADER');
  });

  it('DEALER_MISMATCH: a deal in the session of another device', () => {
    expect(codeOf(() => node().receive(first(), undefined, MALLORY))).toBe('DEALER_MISMATCH');
  });

  it('NOT_IN_NODE_SET', () => {
    expect(codeOf(() => new GroupNode('n9', NODES, 2).receive(first()))).toBe('NOT_IN_NODE_SET');
  });

  it.each<[string, Partial<GroupRules>]>([
    ['DESCRIPTOR_OLD', { descriptorVersion: 2 }],
    ['BELOW_FLOOR', { nodes: ['n1', 'n2'] }],
    ['BELOW_FLOOR', { minimumNodes: 4 }],
    ['BELOW_FLOOR', { minimumThreshold: 3 }],
    ['SUITE_FORBIDDEN', { allowedSuites: [2] }],
    ['PURPOSE_FORBIDDEN', { purposes: ['other'] }],
    ['GROUP_LIMITS', { maximum: { lifetimeSeconds: 60, uses: 0 } }],
    ['GROUP_LIMITS', { maximum: { lifetimeSeconds: 7200, uses: 5 } }],
    ['GROUP_TOO_LARGE', { groupMembers: 2 }],
    ['GROUP_TOO_LARGE', { groupMembers: 0 }],
  ])('%s: %o', (code, rules) => {
    const one = node();
    one.rules = { ...one.rules, ...rules };
    expect(codeOf(() => one.receive(first()))).toBe(code);
    expect(one.state).toBeUndefined();
  });

  it('SHARE_MISMATCH: a share that was changed, cut, or is of another place', () => {
    const [part, other] = first().parts;
    const code = (share: Uint8Array): string => codeOf(() => node().receivePart({ ...part!, share }, ALICE));
    expect(code(flipped(part!.share))).toBe('SHARE_MISMATCH');
    expect(code(part!.share.slice(1))).toBe('SHARE_MISMATCH');
    expect(code(other!.share)).toBe('SHARE_MISMATCH');
  });

  it('policy does not ask a group for the direct KEM', () => {
    const one = node();
    one.rules = { ...one.rules, requireDirectKem: true };
    expect(codeOf(() => one.receive(first()))).toBe('done');
  });
});

describe('GRP-4: what a node checks of the number and of what the deal follows', () => {
  it('GROUP_EPOCH_OLD names the epoch in force', () => {
    const { one, base } = group();
    const old = next({ ...base, epoch: 0 });
    expect(() => one.receive(old)).toThrow(
      expect.objectContaining({ code: 'GROUP_EPOCH_OLD', details: { epoch: 1 } }),
    );
  });

  it('GROUP_CONFLICT: one deal of an epoch, and none below the highest that was echoed', () => {
    const { one, base } = group();
    one.receive(next(base, { header: { epoch: 5 } }));
    const conflict = expect.objectContaining({ code: 'GROUP_CONFLICT', details: { epoch: 5 } });
    expect(() => one.receive(next(base, { header: { epoch: 5 }, seed: 'other' }))).toThrow(conflict);
    expect(() => one.receive(next(base))).toThrow(conflict);
    expect(one.receive(next(base, { header: { epoch: 6 } })).epoch).toBe(6);
  });

  it('GROUP_CONFLICT: a number that skips too many, unless q other nodes echo it', () => {
    const { nodes, one, base } = group();
    const far = next(base, { header: { epoch: 2 + MAX_EPOCH_SKIP } });
    expect(codeOf(() => one.receive(far))).toBe('GROUP_CONFLICT');
    for (const other of nodes.slice(1)) {
      one.echoes = new Map(one.echoes).set(other.nodeId, [
        { epoch: far.next.epoch, dealHash: far.deal.dealHash },
      ]);
    }
    expect(codeOf(() => one.receive(far))).toBe('done');
  });

  it('GROUP_EXISTS: a first epoch of a group that has one, or that another device is creating', () => {
    const { one } = group();
    expect(codeOf(() => one.receive(first({ header: { epoch: 2 } })))).toBe('GROUP_EXISTS');
    const other = node();
    other.receive(first());
    const mallory = { dealer: MALLORY, added: [MALLORY, BOB], header: { epoch: 2, managers: [MALLORY] } };
    expect(codeOf(() => other.receive(first(mallory)))).toBe('GROUP_EXISTS');
    expect(codeOf(() => other.receive(first({ header: { epoch: 2 } })))).toBe('done');
  });

  it('GROUP_UNKNOWN and GROUP_BEHIND: a deal that follows what is not in force here', () => {
    const { one, base } = group();
    expect(codeOf(() => node().receive(next(base)))).toBe('GROUP_UNKNOWN');
    const behind = expect.objectContaining({ code: 'GROUP_BEHIND', details: { epoch: 1 } });
    expect(() => one.receive(next({ ...base, epochId: flipped(base.epochId) }))).toThrow(behind);
  });

  it('a deal that was approved gets the same answer again, though rules have changed since', () => {
    const { one, nodes, base } = group();
    const dealt = next(base, { added: [DAVE] });
    const { changes, ...answer } = one.receive(dealt);
    expect(changes?.taken).toHaveLength(1);
    one.restart();
    one.rules = { ...one.rules, groupMembers: 0 };
    expect(one.receive(dealt)).toEqual(answer);
    nodes[1]?.receive(dealt);
    gossip(nodes);
    expect(one.receive(dealt)).toEqual({ ...answer, inForce: true });
    expect(codeOf(() => one.receive(dealt, undefined, BOB))).toBe('DEALER_MISMATCH');
  });
});

describe('GRP-4: what a node checks of who comes, goes and stays', () => {
  const codeOn = (wish: Wish, prepare?: (one: GroupNode) => void): string => {
    const { one, base } = group({ header: { managers: [ALICE, BOB] } });
    prepare?.(one);
    return codeOf(() => one.receive(next(base, wish)));
  };

  it('GROUP_NOT_MANAGER: only who is in the dealing order deals', () => {
    expect(codeOn({ dealer: CAROL })).toBe('GROUP_NOT_MANAGER');
    expect(codeOn({ dealer: MALLORY, added: [MALLORY] })).toBe('GROUP_NOT_MANAGER');
    expect(codeOn({ dealer: BOB, added: [DAVE] })).toBe('done');
    expect(codeOf(() => node().receive(first({ header: { managers: [BOB] } })))).toBe('GROUP_NOT_MANAGER');
  });

  it('MEMBER_UNKNOWN: the removed are members, each once', () => {
    expect(codeOn({ removed: [DAVE] })).toBe('MEMBER_UNKNOWN');
    expect(codeOn({ removed: [CAROL, CAROL] })).toBe('MEMBER_UNKNOWN');
    expect(codeOf(() => node().receive(first({ removed: [DAVE] })))).toBe('BAD_HEADER');
  });

  it('MEMBER_TWICE: the added are no members, each once', () => {
    expect(codeOn({ added: [BOB] })).toBe('MEMBER_TWICE');
    expect(codeOn({ added: [DAVE, DAVE] })).toBe('MEMBER_TWICE');
    expect(codeOn({ removed: [CAROL], added: [CAROL] })).toBe('MEMBER_TWICE');
  });

  it('MEMBER_NOT_ENROLLED, MEMBER_REVOKED, STAGE_TOO_EARLY: the added may hold keys', () => {
    const dave = toHex(DAVE);
    const code = (standing: { revoked: boolean; stage: string } | undefined): string =>
      codeOn({ added: [DAVE] }, (one) => one.standings.set(dave, standing));
    expect(code(undefined)).toBe('MEMBER_NOT_ENROLLED');
    expect(code({ revoked: true, stage: 'production' })).toBe('MEMBER_REVOKED');
    expect(code({ revoked: false, stage: 'bootstrap' })).toBe('STAGE_TOO_EARLY');
    expect(code({ revoked: false, stage: 'production' })).toBe('done');
  });

  it('MEMBER_LEFT, MEMBER_REVOKED: nobody stays who is out', () => {
    expect(codeOn({}, (one) => one.out(CAROL, 'left'))).toBe('MEMBER_LEFT');
    expect(codeOn({}, (one) => one.out(CAROL, 'revoked'))).toBe('MEMBER_REVOKED');
    expect(codeOn({ removed: [CAROL] }, (one) => one.out(CAROL, 'revoked'))).toBe('done');
  });

  it('GROUP_EMPTY: two members, or one when the epoch in force is suspended or has one', () => {
    expect(codeOf(() => node().receive(first({ added: [ALICE] })))).toBe('GROUP_EMPTY');
    const alone = { removed: [BOB, CAROL], header: { managers: [ALICE] } };
    expect(codeOn(alone)).toBe('GROUP_EMPTY');
    expect(codeOn(alone, (one) => one.out(BOB, 'left'))).toBe('done');
    const { nodes, one, base } = group();
    for (const each of nodes) each.out(BOB, 'left');
    const single = inForceAt(nodes, next(base, { removed: [BOB, CAROL] }));
    expect(codeOf(() => one.receive(next(single)))).toBe('done');
  });

  it('DEALER_NOT_MEMBER, MANAGER_NOT_MEMBER', () => {
    expect(codeOn({ removed: [ALICE], header: { managers: [BOB] } })).toBe('DEALER_NOT_MEMBER');
    expect(codeOn({ removed: [BOB] })).toBe('MANAGER_NOT_MEMBER');
    expect(codeOn({ removed: [BOB], header: { managers: [ALICE, CAROL] } })).toBe('done');
  });

  it('ROSTER_MISMATCH: height, members and root are those of the changed roster', () => {
    const { members, height, rosterRoot } = next(group().base, { added: [DAVE] }).request;
    expect(codeOn({ added: [DAVE], header: { members: members - 1 } })).toBe('ROSTER_MISMATCH');
    expect(codeOn({ added: [DAVE], header: { height: height + 1 } })).toBe('ROSTER_MISMATCH');
    expect(codeOn({ added: [DAVE], header: { rosterRoot: flipped(rosterRoot) } })).toBe('ROSTER_MISMATCH');
    const swapped = next(group().base, { added: [MALLORY] }).request.rosterRoot;
    expect(codeOn({ added: [DAVE], header: { rosterRoot: swapped } })).toBe('ROSTER_MISMATCH');
  });

  it('BAD_BARRIER: the epoch when somebody was removed, else that of the epoch before', () => {
    expect(codeOn({ removed: [CAROL], header: { barrier: 0 } })).toBe('BAD_BARRIER');
    expect(codeOn({ added: [DAVE], header: { barrier: 2 } })).toBe('BAD_BARRIER');
    expect(codeOn({ added: [DAVE], header: { barrier: 1 } })).toBe('BAD_BARRIER');
    const { nodes, one, base } = group();
    const second = inForceAt(nodes, next(base, { removed: [CAROL] }));
    expect(codeOf(() => one.receive(next(second, { header: { barrier: 0 } })))).toBe('BAD_BARRIER');
    expect(codeOf(() => one.receive(next(second)))).toBe('done');
  });

  it('a deal that is refused leaves the state as it was', () => {
    const { one, base } = group();
    one.receive(next(base));
    const before = one.state;
    expect(codeOf(() => one.receive(next(base, { removed: [DAVE], header: { epoch: 3 } })))).toBe(
      'MEMBER_UNKNOWN',
    );
    expect(one.state).toBe(before);
  });
});

describe('GRP-10: who succeeds when no manager is left', () => {
  const left = (): { nodes: GroupNode[]; base: Base; one: GroupNode } => {
    const made = group({ added: [ALICE, BOB, CAROL, DAVE] });
    for (const each of made.nodes) each.out(ALICE, 'revoked');
    return made;
  };
  const managers = [BOB, CAROL, DAVE];

  it('the three members at the lowest places deal, and become the managers', () => {
    const { one, base } = left();
    expect(
      codeOf(() => one.receive(next(base, { dealer: BOB, removed: [ALICE], header: { managers } }))),
    ).toBe('done');
  });

  it('GROUP_NOT_MANAGER: who succeeds adds nobody, removes nobody else, and appoints nobody else', () => {
    const { one, base } = left();
    const code = (wish: Wish): string =>
      codeOf(() => one.receive(next(base, { dealer: BOB, removed: [ALICE], ...wish })));
    expect(code({ added: [MALLORY], header: { managers } })).toBe('GROUP_NOT_MANAGER');
    expect(code({ removed: [ALICE, DAVE], header: { managers: [BOB, CAROL] } })).toBe('GROUP_NOT_MANAGER');
    expect(code({ header: { managers: [BOB] } })).toBe('GROUP_NOT_MANAGER');
    expect(code({ header: { managers: [CAROL, BOB, DAVE] } })).toBe('GROUP_NOT_MANAGER');
    expect(code({ removed: [], header: { managers } })).toBe('MEMBER_REVOKED');
  });
});

describe('GRP-4: more than one deal can remove are out at once', () => {
  it('a deal that removes 512 of them may leave the others; its epoch is suspended from its start', () => {
    const crowd = Array.from({ length: MAX_REMOVED + 2 }, (_, i) => device(`crowd ${i}`));
    const nodes = groupNodes(2, 2);
    for (const each of nodes) each.rules = { ...each.rules, groupMembers: 1000 };
    const [one, two] = nodes as [GroupNode, GroupNode];
    const names = nodeNames(2);
    let base = inForceAt(nodes, dealOn(undefined, names, 2, { added: [ALICE, BOB, ...crowd] }));
    const gone = crowd.map((deviceId) => ({ deviceId, reason: 'revoked' as const }));
    for (const each of nodes) each.state = { ...(each.state as NodeGroup), out: gone };
    const few = dealOn(base, names, 2, { removed: crowd.slice(0, 511) });
    expect(codeOf(() => one.receive(few))).toBe('MEMBER_REVOKED');
    base = inForceAt(nodes, dealOn(base, names, 2, { removed: crowd.slice(0, MAX_REMOVED) }));
    expect(one.roster.size).toBe(4);
    expect([one.isSuspended(), two.isSuspended()]).toEqual([true, true]);
    expect(one.state?.out).toHaveLength(2);
    base = inForceAt(nodes, dealOn(base, names, 2, { removed: crowd.slice(MAX_REMOVED) }));
    expect([one.isSuspended(), two.isSuspended()]).toEqual([false, false]);
    expect(one.state?.out).toEqual([]);
    expect(one.roster.root()).toEqual(Roster.of(base.roster.members()).root());
  });
});
