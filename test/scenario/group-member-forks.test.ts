import { suites, toHex } from '@symmetra/crypto';
import { encodeState } from '@symmetra/protocol';
import { describe, expect, test } from 'vitest';
import { LIFETIME_SECONDS, NODE_IDS, createdGroup } from './group-world.js';
import type { DealtEpoch, GroupScene, SceneMember } from './group-world.js';

const FIVE = ['alice', 'bob', 'carol', 'dave', 'eve'];
const NONE = new Uint8Array(0);

/** A group whose members saw Dave removed in epoch 2. */
function removal(): { scene: GroupScene; alice: SceneMember; first: Uint8Array } {
  const { scene, members } = createdGroup(suites.get(1), FIVE);
  const alice = members.get('alice');
  const first = scene.newest?.deal.epochId;
  if (!alice || !first) throw new Error('there is a group of Alice');
  scene.next({ removed: ['dave'] }).forEach((broadcast) => alice.hear(broadcast));
  return { scene, alice, first };
}

/** Dave is back: the epoch follows the one before he was removed. All nodes have it in force. */
function broughtBack(scene: GroupScene, previous: Uint8Array, epoch = 3): readonly (string | undefined)[] {
  const dealt = scene.deal({ added: ['dave'], epoch, previous });
  scene.settle(dealt);
  return scene.nodes.map((node) => node.bring(dealt)?.nodeId);
}

describe('GRP-9: an epoch that passes over one which the member held', () => {
  test('is refused, whoever brings it and how often: a removal is not undone', () => {
    const { scene, alice, first } = removal();
    const before = toHex(encodeState(alice.state));
    const dealt = scene.deal({ added: ['dave'], previous: first });
    scene.settle(dealt);
    const fork = { kind: 'fork', epoch: 3, epochId: dealt.deal.epochId, dealer: dealt.request.dealer };
    for (const node of scene.nodes) {
      const broadcast = node.bring(dealt);
      expect(broadcast && alice.hear(broadcast)).toEqual(fork);
      expect(alice.welcome(node.nodeId, node.welcome('alice'))).toEqual(fork);
      expect(alice.welcome(node.nodeId, { ...node.welcome('alice'), share: NONE })).toEqual(fork);
    }
    expect(toHex(encodeState(alice.state))).toBe(before);
    expect(alice.held).toEqual([2, 1]);
  });

  test('is refused after its keys are erased, too', () => {
    const { scene, alice, first } = removal();
    alice.end(LIFETIME_SECONDS * 1000);
    expect(alice.held).toEqual([]);
    expect(broughtBack(scene, first)).toEqual(NODE_IDS);
    for (const node of scene.nodes) {
      expect(alice.welcome(node.nodeId, node.welcome('alice'))).toMatchObject({ kind: 'fork' });
    }
  });

  test('is refused when it follows none', () => {
    const { scene, members } = createdGroup(suites.get(1), FIVE);
    const other = scene.deal({ previous: NONE });
    for (const node of scene.nodes) {
      node.bring(other);
      const output = members.get('alice')?.welcome(node.nodeId, node.welcome('alice'));
      expect(output).toMatchObject({ kind: 'fork', epoch: 2 });
    }
  });

  test('is refused below the newest, too', () => {
    const { scene, alice, first } = removal();
    const cairo = scene.nodes[2];
    const fork = scene.deal({ added: ['dave'], epoch: 3, previous: first });
    for (const broadcast of scene.next({ epoch: 4 })) {
      if (broadcast.nodeId !== cairo.nodeId) alice.hear(broadcast);
    }
    expect(alice.held).toEqual([4, 2, 1]);
    const { header, tag } = fork.deal;
    const fields = { ...cairo.welcome('alice'), header, tag, share: cairo.shareOf(fork) };
    expect(alice.welcome(cairo.nodeId, fields)).toMatchObject({ kind: 'fork', epoch: 3 });
    expect(alice.welcome(cairo.nodeId, cairo.welcome('alice'))).toMatchObject({ kind: 'held' });
  });

  test('is not waited for any more once the other one is held', () => {
    const { scene, members } = createdGroup(suites.get(1), FIVE);
    const alice = members.get('alice');
    const cairo = scene.nodes[2];
    const fork = scene.deal({ epoch: 3, salt: 'fork' });
    const broadcast = cairo.bring(fork);
    expect(broadcast && alice?.hear(broadcast)).toEqual({ kind: 'nothing' });
    expect(alice?.state.gatherings.map(({ header }) => header.epoch)).toEqual([3]);
    const next = scene.deal({});
    for (const node of scene.nodes.slice(0, 2)) {
      const said = node.bring(next);
      if (said) alice?.hear(said);
    }
    expect(alice?.held).toEqual([2, 1]);
    expect(alice?.state.gatherings).toEqual([]);
  });

  test('and what follows it all the same brings the member on: one fork does not shut it out', () => {
    const { scene, alice, first } = removal();
    broughtBack(scene, first);
    for (const broadcast of scene.next({ removed: ['dave'] })) {
      expect(alice.hear(broadcast)).toEqual({ kind: 'waiting' });
    }
    scene.nodes.forEach((node) => alice.welcome(node.nodeId, node.welcome('alice')));
    expect(alice.held).toEqual([4, 2, 1]);
    scene.next({}).forEach((broadcast) => alice.hear(broadcast));
    expect(alice.held).toEqual([5, 4, 2]);
  });
});

describe('GRP-5, GRP-9: an epoch that one lying node and one more brought to some members', () => {
  test('is given up by the nodes; a member that holds it misses one epoch, and no more', () => {
    const { scene, members } = createdGroup(suites.get(1), FIVE);
    const alice = members.get('alice');
    const bob = members.get('bob');
    if (!alice || !bob) throw new Error('Alice and Bob are members');
    const [amsterdam, bern, cairo] = scene.nodes;
    const lost = scene.deal({ salt: 'lost' });
    for (const node of [bern, cairo]) {
      const broadcast = node.bring(lost);
      if (broadcast) alice.hear(broadcast);
    }
    expect(alice.held).toEqual([2, 1]);
    const way: DealtEpoch = scene.deal({ epoch: 3, salt: 'way' });
    scene.settle(way);
    for (const node of [amsterdam, bern, cairo]) {
      node.bring(way);
      alice.welcome(node.nodeId, node.welcome('alice'));
      bob.welcome(node.nodeId, node.welcome('bob'));
    }
    expect([alice.held, bob.held]).toEqual([
      [2, 1],
      [3, 1],
    ]);
    for (const member of [alice, bob]) expect(member.state.chain.length).toBeLessThanOrEqual(4);
    scene.next({});
    for (const node of scene.nodes) {
      alice.welcome(node.nodeId, node.welcome('alice'));
      bob.welcome(node.nodeId, node.welcome('bob'));
    }
    expect(alice.state.epochs[0]?.epochId).toEqual(bob.state.epochs[0]?.epochId);
    expect([alice.held[0], bob.held[0]]).toEqual([4, 4]);
  });

  test('a member remembers the last 32', () => {
    const { scene, members } = createdGroup(suites.get(1), ['alice', 'bob']);
    const alice = members.get('alice');
    for (let i = 0; i < 40; i++) scene.next({}).forEach((broadcast) => alice?.hear(broadcast));
    expect(alice?.state.chain.length).toBe(32);
    expect(alice?.state.chain.at(-1)?.epoch).toBe(41);
  });
});
