import { toHex } from '@symmetra/crypto';
import {
  MAX_GIVEN_UP,
  MAX_STOOD_BY,
  Roster,
  abandonDeal,
  countEchoes,
  echoOf,
  echoQuorum,
  forgetShare,
  isAgreed,
  orderOf,
  receiveEcho,
} from '@symmetra/protocol';
import type { EchoBook, NodeGroup } from '@symmetra/protocol';
import { describe, expect, it } from 'vitest';
import {
  ALICE,
  BOB,
  CAROL,
  DAVE,
  GroupNode,
  MALLORY,
  dealOn,
  gossip,
  groupNodes,
  inForceAt,
  nodeNames,
} from './group-nodes.js';
import type { Base, Dealt, Wish } from './group-nodes.js';
import { CONTEXT, codeOf, flipped } from './protocol-world.js';

const MEMBERS = [ALICE, BOB, CAROL];

interface Network {
  readonly nodes: GroupNode[];
  readonly base: Base;
  deal(base: Base, wish?: Wish): Dealt;
  at(place: number): GroupNode;
}

/** A group of Alice, Bob and Carol in force at n nodes; Alice and Bob manage it. */
function network(n: number, k: number, wish: Wish = {}): Network {
  const nodes = groupNodes(n, k);
  const names = nodeNames(n);
  const header = { managers: [ALICE, BOB], ...wish.header };
  const base = inForceAt(nodes, dealOn(undefined, names, k, { added: MEMBERS, ...wish, header }));
  return {
    nodes,
    base,
    deal: (on, next = {}) => dealOn(on, names, k, next),
    at: (place) => nodes[place - 1] as GroupNode,
  };
}

const epochIds = (nodes: readonly GroupNode[]): (Uint8Array | undefined)[] =>
  nodes.map(({ state }) => state?.inForce?.epochId);

describe('GRP-5: the echo', () => {
  it('q is the larger of k and the least majority', () => {
    const pairs = [[2, 2], [3, 2], [3, 3], [4, 2], [5, 2], [5, 4], [16, 2]] as const; // prettier-ignore
    expect(pairs.map(([n, k]) => echoQuorum(n, k))).toEqual([2, 2, 3, 3, 3, 4, 9]);
  });

  it('a deal comes into force when q nodes, this one included, echo it; fewer do nothing', () => {
    const { at, base, deal } = network(5, 2);
    const dealt = deal(base);
    at(1).receive(dealt);
    at(2).receive(dealt);
    at(1).hear(at(2));
    at(1).hear(at(2));
    expect(at(1).settle()).toBe(false);
    at(3).receive(dealt);
    at(1).hear(at(3));
    expect(at(1).settle()).toBe(true);
    expect(at(1).state?.inForce?.epochId).toEqual(dealt.deal.epochId);
    expect(at(1).state?.pending).toBeUndefined();
    expect(at(1).settle()).toBe(false);
  });

  it('nodes outside the node set do not count, and a node does not count itself twice', () => {
    const { at, base, deal } = network(3, 2);
    const dealt = deal(base);
    at(1).receive(dealt);
    const said = echoOf(at(1).state as NodeGroup);
    const echoes: EchoBook = new Map([
      ['n1', said],
      ['n9', said],
    ]);
    expect(isAgreed(CONTEXT, at(1).state as NodeGroup, 'n1', echoes)).toBe(false);
    expect(isAgreed(CONTEXT, at(1).state as NodeGroup, 'n1', new Map([['n2', said]]))).toBe(true);
  });

  it('of a node that names two deals of one epoch the first counts; what it says now replaces what it said', () => {
    const hash = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);
    const say = (book: EchoBook, epoch: number, byte: number): EchoBook =>
      receiveEcho(book, 'n2', [{ epoch, dealHash: hash(byte) }]);
    const book = say(say(new Map(), 4, 1), 4, 2);
    expect(countEchoes(book, ['n2'], hash(1))).toBe(1);
    expect(countEchoes(book, ['n2'], hash(2))).toBe(0);
    expect(countEchoes(say(book, 5, 3), ['n2'], hash(1))).toBe(0);
    const both = receiveEcho(new Map(), 'n2', [
      { epoch: 4, dealHash: hash(1) },
      { epoch: 4, dealHash: hash(2), givenUp: true },
      { epoch: 4, dealHash: hash(3) },
    ]);
    expect([1, 2, 3].map((byte) => countEchoes(both, ['n2'], hash(byte), 'echoed'))).toEqual([1, 0, 0]);
    const many = Array.from({ length: 100 }, (_, i) => ({ epoch: i, dealHash: hash(i) }));
    expect(receiveEcho(new Map(), 'n2', many).get('n2')).toHaveLength(MAX_STOOD_BY + MAX_GIVEN_UP);
  });

  it('a node that lost the echoes, or restarted with a pending deal, hears them again, also of an overtaken epoch', () => {
    const { nodes, at, base, deal } = network(3, 2);
    const second = deal(base);
    for (const node of nodes) node.receive(second);
    at(3).restart();
    gossip(nodes.slice(0, 2));
    const third = inForceAt(nodes.slice(0, 2), deal(second.next));
    expect(at(3).settle()).toBe(false);
    at(3).hear(at(1));
    expect(at(3).settle()).toBe(true);
    expect(at(3).receive(deal(second.next)).epochId).toEqual(third.epochId);
  });

  it('the share of an epoch that is over, or too old, is handed back to be erased', () => {
    const { at, nodes, base, deal } = network(2, 2);
    const state = at(1).state as NodeGroup;
    const share = state.inForce?.share;
    expect(share?.bytes).toHaveLength(32);
    const kept = forgetShare(state);
    expect(kept.consumed).toEqual([share]);
    expect(kept.state.inForce?.share).toBeUndefined();
    expect(kept.state.inForce?.epochId).toEqual(state.inForce?.epochId);
    expect(forgetShare(kept.state).consumed).toEqual([]);
    inForceAt(nodes, deal(base));
    expect(codeOf(() => share?.bytes)).toBe('done');
  });

  it('GRP-4: a deal that is given up hands its share back, and keeps its number: only the same deal is taken again', () => {
    const { at, base, deal } = network(3, 2);
    const pending = deal(base);
    at(1).receive(pending);
    const { state, consumed } = abandonDeal(at(1).state as NodeGroup);
    expect(consumed).toEqual([at(1).state?.pending?.share]);
    expect(consumed).toHaveLength(1);
    expect(state.pending).toBeUndefined();
    expect(echoOf(state)).toMatchObject([{ epoch: 1 }, { epoch: 2, givenUp: true }]);
    at(1).state = state;
    expect(codeOf(() => at(1).receive(deal(base, { seed: 'another' })))).toBe('GROUP_CONFLICT');
    expect(at(1).receive(pending).epochId).toEqual(pending.deal.epochId);
    expect(abandonDeal(abandonDeal(state).state).consumed).toEqual([]);
  });
});

describe('GRP-5, GRP-11: two dealers, and nodes that split', () => {
  it('two deals of one epoch that split the nodes come into force nowhere; a higher one ends it', () => {
    const { nodes, at, base, deal } = network(4, 2);
    const alice = deal(base, { removed: [CAROL] });
    const bob = deal(base, { dealer: BOB, added: [DAVE] });
    for (const place of [1, 2]) at(place).receive(alice);
    for (const place of [3, 4]) at(place).receive(bob);
    gossip(nodes);
    expect(epochIds(nodes)).toEqual(nodes.map(() => base.epochId));
    expect(codeOf(() => at(1).receive(bob))).toBe('GROUP_CONFLICT');
    expect(codeOf(() => at(3).receive(alice))).toBe('GROUP_CONFLICT');
    const higher = inForceAt(nodes, deal(base, { removed: [CAROL], header: { epoch: 3 } }));
    expect(epochIds(nodes)).toEqual(nodes.map(() => higher.epochId));
  });

  it('an epoch that one node alone brought into force gives way to one that q others echo', () => {
    const { nodes, at, base, deal } = network(3, 2);
    const lone = deal(base, { removed: [CAROL] });
    at(1).receive(lone);
    at(2).receive(lone);
    at(1).hear(at(2));
    expect(at(1).settle()).toBe(true);
    const bob = deal(base, { dealer: BOB, added: [DAVE], header: { epoch: 3 } });
    expect(codeOf(() => at(1).receive(bob))).toBe('GROUP_BEHIND');
    at(2).receive(bob);
    at(1).hear(at(2));
    expect(codeOf(() => at(1).receive(bob, at(2)))).toBe('GROUP_BEHIND');
    at(3).receive(bob);
    at(1).hear(at(3));
    const { changes } = at(1).receive(bob, at(2));
    expect(changes?.taken.map(({ deviceId }) => deviceId)).toEqual([CAROL, DAVE]);
    gossip(nodes);
    expect(epochIds(nodes)).toEqual(nodes.map(() => bob.next.epochId));
    expect(at(1).roster.root()).toEqual(bob.next.roster.root());
  });

  it('a node that was down for many epochs works out what changed relative to its own roster', () => {
    const { nodes, at, base, deal } = network(3, 2);
    const up = nodes.slice(0, 2);
    let now = inForceAt(up, deal(base, { removed: [CAROL] }));
    now = inForceAt(up, deal(now, { added: [DAVE, MALLORY] }));
    now = inForceAt(up, deal(now, { removed: [MALLORY] }));
    const last = deal(now, { added: [CAROL] });
    for (const node of up) node.receive(last);
    at(3).hear(at(1));
    at(3).hear(at(2));
    const { changes } = at(3).receive(last, at(1));
    expect(changes?.vacated).toEqual([2]);
    expect(changes?.taken.map(({ deviceId }) => deviceId)).toEqual([DAVE, CAROL]);
    gossip(nodes);
    expect(epochIds(nodes)).toEqual(nodes.map(() => last.next.epochId));
  });

  it('a node that never heard of the group, or ended it, follows q others', () => {
    const { nodes, at, base, deal } = network(3, 2);
    const names = nodeNames(3);
    const fresh = new GroupNode('n3', names, 2);
    const dealt = deal(base, { added: [DAVE] });
    for (const place of [1, 2]) at(place).receive(dealt);
    expect(codeOf(() => fresh.receive(dealt, at(1)))).toBe('GROUP_UNKNOWN');
    for (const place of [1, 2]) fresh.hear(at(place));
    expect(codeOf(() => fresh.receive(dealt))).toBe('GROUP_UNKNOWN');
    expect(fresh.receive(dealt, at(1)).changes?.taken).toHaveLength(4);
    for (const member of MEMBERS) at(3).out(member, 'left');
    expect(at(3).state?.ended).toBe(true);
    expect(codeOf(() => at(3).receive(dealt))).toBe('GROUP_ENDED');
    for (const place of [1, 2]) at(3).hear(at(place));
    at(3).receive(dealt, at(1));
    gossip(nodes);
    expect(epochIds(nodes)).toEqual(nodes.map(() => dealt.next.epochId));
  });

  it('what q others echo outweighs a leave, never a revocation, and needs the roster of the header', () => {
    const { nodes, at, base, deal } = network(3, 2);
    at(3).out(CAROL, 'left');
    const up = nodes.slice(0, 2);
    const now = inForceAt(up, deal(base));
    const dealt = deal(now, { added: [DAVE] });
    for (const node of up) node.receive(dealt);
    for (const node of up) at(3).hear(node);
    const code = (whole: Roster): string => {
      const [, , part] = dealt.parts;
      return codeOf(() =>
        at(3).receivePart({ ...part!, share: part!.share.slice() }, ALICE, { dealt: whole }),
      );
    };
    expect(code(Roster.of([]))).toBe('DEALER_NOT_MEMBER');
    expect(code(now.roster)).toBe('ROSTER_MISMATCH');
    const revoking = at(3).state as NodeGroup;
    at(3).out(CAROL, 'revoked');
    expect(codeOf(() => at(3).receive(dealt, at(1)))).toBe('MEMBER_REVOKED');
    at(3).state = revoking;
    at(3).receive(dealt, at(1));
    expect(at(3).state?.out).toEqual([]);
  });
});

describe('GRP-11: forks where q is more than the others', () => {
  /** A revocation came to n2 after its echo, and to n1 once the epoch was in force there. */
  function forked(n: number, k: number, ahead: number, wish: Wish = {}): Network & { lone: Dealt } {
    const made = network(n, k, { added: [...MEMBERS, DAVE] });
    const lone = made.deal(made.base, wish);
    for (const node of made.nodes) node.receive(lone);
    for (const node of made.nodes.slice(0, ahead)) {
      for (const other of made.nodes) if (other !== node) node.hear(other);
      expect(node.settle()).toBe(true);
    }
    for (const node of made.nodes) node.out(DAVE, 'revoked');
    expect(made.nodes.map(({ state }) => state?.inForce?.epoch)).toEqual(
      made.nodes.map((_, i) => (i < ahead ? 2 : 1)),
    );
    expect(made.nodes.every((node) => node.isSuspended() && node.state?.pending === undefined)).toBe(true);
    return { ...made, lone };
  }

  it.each([
    [2, 2, 1],
    [3, 3, 1],
    [3, 3, 2],
    [4, 3, 2],
    [5, 5, 4],
  ])('n = %i, k = %i: %i nodes with an epoch of their own follow the others', (n, k, ahead) => {
    const { nodes, base, deal } = forked(n, k, ahead);
    const dealt = deal(base, { removed: [DAVE], header: { epoch: 3, barrier: 3 } });
    const behind = nodes.slice(ahead);
    for (const node of behind) node.receive(dealt);
    for (const node of nodes.slice(0, ahead)) {
      expect(codeOf(() => node.receive(dealt))).toBe('GROUP_BEHIND');
      for (const other of behind) node.hear(other);
      node.receive(dealt, behind[0]);
    }
    gossip(nodes);
    expect(epochIds(nodes)).toEqual(nodes.map(() => dealt.next.epochId));
    expect(nodes.some((node) => node.isSuspended())).toBe(false);
  });

  it('three nodes with an epoch each: who was down checks the deal on what the others stand by', () => {
    const { nodes, at, base, deal } = network(3, 2, { added: [...MEMBERS, DAVE] });
    const held = inForceAt(nodes.slice(1), deal(base, { added: [MALLORY] }));
    const lone = deal(held);
    for (const place of [2, 3]) at(place).receive(lone);
    at(3).hear(at(2));
    expect(at(3).settle()).toBe(true);
    for (const node of nodes) node.out(DAVE, 'revoked');
    at(1).out(CAROL, 'left');
    expect(nodes.map(({ state }) => state?.inForce?.epoch)).toEqual([1, 2, 3]);
    const dealt = deal(held, { removed: [DAVE], header: { epoch: 4, barrier: 4 } });
    expect(codeOf(() => at(1).receive(dealt, at(2)))).toBe('GROUP_BEHIND');
    at(1).hear(at(2));
    expect(codeOf(() => at(1).receive(dealt, at(2)))).toBe('GROUP_BEHIND');
    at(1).hear(at(3));
    expect(codeOf(() => at(1).receive(dealt))).toBe('GROUP_BEHIND');
    expect(codeOf(() => at(1).receive(dealt, at(3)))).toBe('GROUP_BEHIND');
    const code = (wish: Wish): string => codeOf(() => at(1).receive(deal(held, wish), at(2)));
    expect(code({ dealer: CAROL, header: { epoch: 4 } })).toBe('GROUP_NOT_MANAGER');
    expect(code({ header: { epoch: 4 } })).toBe('MEMBER_REVOKED');
    expect(code({ removed: [DAVE], header: { epoch: 4, barrier: 0 } })).toBe('BAD_BARRIER');
    const before = at(1).standings;
    before.set(toHex(MALLORY), { revoked: true, stage: 'production' });
    expect(codeOf(() => at(1).receive(dealt, at(2)))).toBe('MEMBER_REVOKED');
    // Whom q nodes let be a member this node need not know yet.
    before.set(toHex(MALLORY), undefined);
    const { changes } = at(1).receive(dealt, at(2));
    expect(changes?.taken.map(({ deviceId }) => deviceId)).toEqual([MALLORY]);
    at(2).receive(dealt);
    gossip(nodes);
    at(3).receive(dealt, at(2));
    gossip(nodes);
    expect(epochIds(nodes)).toEqual(nodes.map(() => dealt.next.epochId));
  });

  it('what is said to be the epoch before a deal has to be it', () => {
    const { nodes, at, base, deal } = network(3, 2);
    const held = inForceAt(nodes.slice(1), deal(base));
    const dealt = deal(held, { added: [DAVE] });
    for (const place of [2, 3]) at(1).hear(at(place));
    const part = dealt.parts[0]!;
    const { base: given } = at(2).given(dealt);
    const code = (changed: object): string =>
      codeOf(() =>
        at(1).receivePart({ ...part, share: part.share.slice() }, ALICE, { base: { ...given!, ...changed } }),
      );
    expect(code({ header: at(1).state?.inForce?.header })).toBe('GROUP_BEHIND');
    expect(code({ tag: flipped(given!.tag) })).toBe('GROUP_BEHIND');
    expect(code({ roster: dealt.next.roster })).toBe('GROUP_BEHIND');
    expect(code({})).toBe('done');
    for (const member of MEMBERS) at(1).out(member, 'left');
    expect(code({})).toBe('GROUP_ENDED');
  });

  it('they do not undo what the deal does not name, nor follow who may not deal here', () => {
    const { at, base, deal } = forked(3, 3, 1, { removed: [CAROL], header: { managers: [ALICE] } });
    const silent = deal(base, { removed: [DAVE], header: { epoch: 3, barrier: 3 } });
    const named = deal(base, { removed: [DAVE, CAROL], header: { epoch: 4, barrier: 4 } });
    const bob = deal(base, { dealer: BOB, removed: [DAVE, CAROL], header: { epoch: 5, barrier: 5 } });
    const answerTo = (dealt: Dealt): string => {
      at(2).receive(dealt);
      at(1).hear(at(2));
      return codeOf(() => at(1).receive(dealt, at(2)));
    };
    expect(answerTo(silent)).toBe('GROUP_BEHIND');
    expect(answerTo(named)).toBe('done');
    expect(answerTo(bob)).toBe('GROUP_BEHIND');
  });
});

describe('GRP-5, GRP-10: who leaves or is revoked between deal and force', () => {
  it('a pending deal that keeps them is given up, its number never echoed again; one without them stays', () => {
    const { nodes, at, base, deal } = network(3, 2);
    const rotation = deal(base);
    const removal = deal(base, { removed: [CAROL], seed: 'without' });
    at(1).receive(rotation);
    at(2).receive(removal);
    expect(at(1).out(CAROL, 'revoked')).toEqual({ effect: 'suspended', dropped: true });
    expect(at(2).out(CAROL, 'revoked')).toEqual({ effect: 'suspended', dropped: false });
    at(1).restart();
    expect(echoOf(at(1).state as NodeGroup)).toMatchObject([{ epoch: 1 }, { givenUp: true }]);
    expect(codeOf(() => at(1).receive(rotation))).toBe('MEMBER_REVOKED');
    expect(codeOf(() => at(1).receive(removal))).toBe('GROUP_CONFLICT');
    const higher = deal(base, { removed: [CAROL], header: { epoch: 3, barrier: 3 } });
    inForceAt(nodes, higher);
    expect(epochIds(nodes)).toEqual(nodes.map(() => higher.next.epochId));
    expect(nodes.map((node) => node.isSuspended())).toEqual([false, false, false]);
  });

  it('so is the deal of a dealer who is revoked, and who is added and revoked', () => {
    const { at, base, deal } = network(3, 2);
    at(1).receive(deal(base));
    expect(at(1).out(ALICE, 'revoked')).toEqual({ effect: 'suspended', dropped: true });
    expect(orderOf(CONTEXT, at(1).state as NodeGroup, at(1).roster)).toEqual([BOB]);
    at(2).receive(deal(base, { added: [DAVE] }));
    expect(at(2).out(DAVE, 'revoked')).toEqual({ effect: 'nothing', dropped: true });
    expect(at(2).isSuspended()).toBe(false);
  });

  it('who is added and leaves before is not added by that deal', () => {
    const { at, base, deal } = network(3, 2);
    const dealt = deal(base, { added: [DAVE] });
    at(1).receive(dealt);
    expect(at(1).out(DAVE, 'left')).toEqual({ effect: 'nothing', dropped: true });
    expect(at(1).out(DAVE, 'left')).toEqual({ effect: 'nothing', dropped: false });
    expect(codeOf(() => at(1).receive(dealt))).toBe('MEMBER_LEFT');
  });

  it('repeating changes nothing; a revocation outweighs a leave; a stranger can not leave', () => {
    const { at } = network(3, 2);
    const one = at(1);
    expect(one.out(CAROL, 'left').effect).toBe('suspended');
    expect(one.out(CAROL, 'left').effect).toBe('nothing');
    expect(one.out(CAROL, 'revoked').effect).toBe('suspended');
    expect(one.out(CAROL, 'left').effect).toBe('nothing');
    expect(one.state?.out).toEqual([{ deviceId: CAROL, reason: 'revoked' }]);
    expect(codeOf(() => one.out(MALLORY, 'left'))).toBe('GROUP_NOT_MEMBER');
    expect(one.out(MALLORY, 'revoked').effect).toBe('nothing');
  });

  it('managers deal; then the three at the lowest places; when nobody is left the group ends for ever', () => {
    const { nodes, at, base } = network(3, 2, { added: [...MEMBERS, DAVE, MALLORY] });
    const order = (): readonly Uint8Array[] => orderOf(CONTEXT, at(1).state as NodeGroup, at(1).roster);
    expect(order()).toEqual([ALICE, BOB]);
    at(1).out(ALICE, 'left');
    expect(order()).toEqual([BOB]);
    at(1).out(BOB, 'revoked');
    expect(order()).toEqual([CAROL, DAVE, MALLORY]);
    at(1).out(DAVE, 'left');
    expect(order()).toEqual([CAROL, MALLORY]);
    at(1).out(CAROL, 'left');
    expect(at(1).out(MALLORY, 'left')).toEqual({ effect: 'ended', dropped: false });
    expect(order()).toEqual([]);
    at(1).restart();
    const again = dealOn(undefined, nodeNames(3), 2, { added: MEMBERS, header: { epoch: 9 } });
    expect(codeOf(() => at(1).receive(again))).toBe('GROUP_ENDED');
    expect(codeOf(() => at(1).receive(dealOn(base, nodeNames(3), 2, { seed: 'later' })))).toBe('GROUP_ENDED');
    expect(nodes[1]?.state?.ended).toBe(false);
  });
});

describe('GRP-13: fewer than 2q - n nodes that lie', () => {
  it('can not bring a node to follow a device that may not deal', () => {
    const { nodes, at, base, deal } = network(5, 2);
    const now = inForceAt(nodes, deal(base, { removed: [BOB], header: { managers: [ALICE] } }));
    const forged = deal(base, { dealer: BOB, added: [MALLORY], header: { epoch: 3 } });
    const said = [{ epoch: 3, dealHash: forged.deal.dealHash }];
    for (const liars of [1, 2]) {
      for (const place of Array.from({ length: liars }, (_, i) => 5 - i)) {
        at(1).echoes = receiveEcho(at(1).echoes, `n${place}`, said);
      }
      const [part] = forged.parts;
      expect(codeOf(() => at(1).receivePart(part!, BOB, { dealt: forged.next.roster }))).toBe('GROUP_BEHIND');
    }
    expect(at(1).state?.inForce?.epochId).toEqual(now.epochId);
  });
});
