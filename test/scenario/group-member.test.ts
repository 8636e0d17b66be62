import { suites, toHex } from '@symmetra/crypto';
import { believedDue, dealDelayMs, encodeState, newMember, sendingEpoch } from '@symmetra/protocol';
import type { EpochBroadcast, MemberOutput, WelcomeFields } from '@symmetra/protocol';
import { describe, expect, test } from 'vitest';
import {
  BOUND_MS,
  GROUP_ID,
  GroupScene,
  LIFETIME_SECONDS,
  NODE_IDS,
  SceneMember,
  createdGroup,
  deviceOf,
  notice,
} from './group-world.js';
import { SUITES, codeOf, flipped } from './protocol-world.js';

const suite = suites.get(1);
const FIVE = ['alice', 'bob', 'carol', 'dave', 'eve'];

function kinds(outputs: readonly MemberOutput[]): readonly string[] {
  return outputs.map(({ kind }) => kind);
}

function keyOf(member: SceneMember): string {
  const [epoch] = member.state.epochs;
  return epoch ? toHex(epoch.applicationKey.bytes) : 'none';
}

function memberOf(members: ReadonlyMap<string, SceneMember>, name: string): SceneMember {
  const member = members.get(name);
  if (!member) throw new Error(`${name} is no member`);
  return member;
}

function three(broadcasts: readonly EpochBroadcast[]): [EpochBroadcast, EpochBroadcast, EpochBroadcast] {
  return broadcasts as [EpochBroadcast, EpochBroadcast, EpochBroadcast];
}

describe.each(SUITES)('GRP-8, GRP-9: members under suite $id', (one) => {
  test('all hold one key after a creation, a removal, a join and a rotation', () => {
    const { scene, members } = createdGroup(one, FIVE);
    for (const change of [{ removed: ['dave'] }, { added: ['frank'] }, {}]) {
      const broadcasts = scene.next(change);
      for (const [name, member] of members) {
        const outputs = broadcasts.map((broadcast) => member.hear(broadcast));
        expect(kinds(outputs)).toEqual(
          name === 'dave' && scene.roster.placeOf(deviceOf('dave')) === undefined
            ? ['nothing', 'out', 'waiting']
            : ['nothing', 'epoch', 'held'],
        );
      }
      members.delete('dave');
      if (change.added) {
        const frank = new SceneMember('frank');
        for (const node of scene.nodes) frank.welcome(node.nodeId, node.welcome('frank'));
        members.set('frank', frank);
      }
    }
    expect(new Set([...members.values()].map(keyOf)).size).toBe(1);
    expect(keyOf(memberOf(members, 'frank'))).not.toBe('none');
    expect(memberOf(members, 'alice').held).toEqual([4, 3, 2]);
    expect(memberOf(members, 'frank').held).toEqual([4, 3]);
  });
});

describe('GRP-9: how an epoch comes to a member', () => {
  test('it takes q nodes, and each is confirmed to once it brought the epoch', () => {
    const scene = new GroupScene(suite);
    scene.next({ added: FIVE });
    const alice = new SceneMember('alice');
    const [first, second, third] = scene.nodes.map((node) =>
      alice.welcome(node.nodeId, node.welcome('alice')),
    );
    expect(first).toEqual({ kind: 'nothing' });
    expect(second).toMatchObject({ kind: 'epoch', confirmTo: ['amsterdam', 'bern'] });
    expect(third).toMatchObject({ kind: 'held', confirmTo: ['cairo'] });
    expect(alice.state.gatherings).toEqual([]);
  });

  test('one node alone, as often as it repeats itself, brings none', () => {
    const scene = new GroupScene(suite);
    scene.next({ added: FIVE });
    const alice = new SceneMember('alice');
    const [node] = scene.nodes;
    for (let i = 0; i < 3; i++) {
      expect(alice.welcome(node.nodeId, node.welcome('alice'))).toEqual({ kind: 'nothing' });
    }
    expect(alice.held).toEqual([]);
  });

  test('a welcome without a share gives the path, and the next broadcast the epoch', () => {
    const scene = new GroupScene(suite);
    scene.next({ added: FIVE });
    const alice = new SceneMember('alice');
    for (const node of scene.nodes) {
      const fields = { ...node.welcome('alice'), share: new Uint8Array(0) };
      expect(alice.welcome(node.nodeId, fields)).toEqual({ kind: 'nothing' });
    }
    expect(kinds(scene.next({}).map((broadcast) => alice.hear(broadcast)))).toEqual([
      'nothing',
      'epoch',
      'held',
    ]);
  });

  test('broadcast and welcome of one epoch, in any order and repeated, come to the same', () => {
    const { scene, members } = createdGroup(suite, FIVE);
    const broadcasts = three(scene.next({ removed: ['eve'] }));
    const alice = memberOf(members, 'alice');
    const [a, b] = scene.nodes;
    expect(alice.hear(broadcasts[0]).kind).toBe('nothing');
    expect(alice.hear(broadcasts[0]).kind).toBe('nothing');
    expect(alice.welcome(a.nodeId, a.welcome('alice')).kind).toBe('nothing');
    expect(alice.welcome(b.nodeId, b.welcome('alice'))).toMatchObject({ kind: 'epoch' });
    expect(alice.hear(broadcasts[1]).kind).toBe('nothing');
    expect(alice.welcome(a.nodeId, a.welcome('alice'))).toMatchObject({
      kind: 'held',
      confirmTo: ['amsterdam'],
    });
    expect(alice.hear(broadcasts[2])).toMatchObject({ kind: 'held', confirmTo: ['cairo'] });
    const bob = memberOf(members, 'bob');
    broadcasts.toReversed().forEach((broadcast) => bob.hear(broadcast));
    expect(keyOf(bob)).toBe(keyOf(alice));
    expect(kinds(scene.next({}).map((broadcast) => alice.hear(broadcast)))).toEqual([
      'nothing',
      'epoch',
      'held',
    ]);
  });

  test('a member that missed an epoch waits for a welcome, and catches up', () => {
    const { scene, members } = createdGroup(suite, FIVE);
    const alice = memberOf(members, 'alice');
    scene.next({ removed: ['eve'] });
    const missed = scene.next({});
    for (const broadcast of missed) expect(alice.hear(broadcast)).toEqual({ kind: 'waiting' });
    scene.nodes.forEach((node) => alice.welcome(node.nodeId, node.welcome('alice')));
    expect(alice.held).toEqual([3, 1]);
  });

  test('a welcome that comes late does not take the tree back', () => {
    const { scene, members } = createdGroup(suite, FIVE);
    const alice = memberOf(members, 'alice');
    const [node] = scene.nodes;
    const late = node.welcome('alice');
    scene.next({}).forEach((broadcast) => alice.hear(broadcast));
    expect(alice.welcome(node.nodeId, late)).toEqual({ kind: 'nothing' });
    expect(kinds(scene.next({}).map((broadcast) => alice.hear(broadcast)))).toEqual([
      'nothing',
      'epoch',
      'held',
    ]);
  });

  test('what is of another group is refused', () => {
    const { scene, members } = createdGroup(suite, FIVE);
    const alice = memberOf(members, 'alice');
    const [broadcast] = three(scene.next({}));
    const other = { ...broadcast, header: { ...broadcast.header, groupId: new Uint8Array(16) } };
    expect(codeOf(() => alice.hear(other))).toBe('GROUP_UNKNOWN');
    expect(codeOf(() => alice.due(notice(scene, 'bern', { groupId: new Uint8Array(16) })))).toBe(
      'GROUP_UNKNOWN',
    );
  });
});

describe('GRP-9: one node that lies', () => {
  const lies: readonly (readonly [string, string, (fields: WelcomeFields) => WelcomeFields])[] = [
    ['another share', 'SHARE_MISMATCH', (fields) => ({ ...fields, share: flipped(fields.share) })],
    ['a short share', 'SHARE_MISMATCH', (fields) => ({ ...fields, share: fields.share.slice(1) })],
    ['another header', 'SHARE_MISMATCH', (fields) => ({ ...fields, header: flipped(fields.header, 24) })],
    ['no header', 'BAD_ENCODING', (fields) => ({ ...fields, header: fields.header.slice(0, 9) })],
    ['a short tag', 'BAD_HEADER', (fields) => ({ ...fields, tag: fields.tag.slice(1) })],
    ['a place outside the tree', 'BAD_ENCODING', (fields) => ({ ...fields, place: 8 })],
    ['a path too short', 'BAD_ENCODING', (fields) => ({ ...fields, pathKeys: fields.pathKeys.slice(32) })],
  ];
  test.each(lies)('a welcome with %s is refused: %s', (_, code, lie) => {
    const scene = new GroupScene(suite);
    scene.next({ added: FIVE });
    const alice = new SceneMember('alice');
    const [node] = scene.nodes;
    expect(codeOf(() => alice.welcome(node.nodeId, lie(node.welcome('alice'))))).toBe(code);
    const outputs = scene.nodes.map((each) => alice.welcome(each.nodeId, each.welcome('alice')));
    expect(kinds(outputs)).toEqual(['nothing', 'epoch', 'held']);
  });

  test('a welcome with another tag gathers by itself, and hinders nobody', () => {
    const scene = new GroupScene(suite);
    scene.next({ added: FIVE });
    const alice = new SceneMember('alice');
    const [liar, ...others] = scene.nodes;
    const fields = liar.welcome('alice');
    alice.welcome(liar.nodeId, { ...fields, tag: flipped(fields.tag) });
    expect(kinds(others.map((node) => alice.welcome(node.nodeId, node.welcome('alice'))))).toEqual([
      'nothing',
      'epoch',
    ]);
    expect(alice.state.gatherings).toEqual([]);
  });

  test('keys that are wrong spoil only its own tree, until its next welcome', () => {
    const scene = new GroupScene(suite);
    scene.next({ added: FIVE });
    const alice = new SceneMember('alice');
    const [liar, ...others] = scene.nodes;
    const fields = liar.welcome('alice');
    alice.welcome(liar.nodeId, { ...fields, pathKeys: fields.pathKeys.map((byte) => byte ^ 1) });
    others.forEach((node) => alice.welcome(node.nodeId, node.welcome('alice')));
    const [spoiled, ...rest] = three(scene.next({}));
    expect(codeOf(() => alice.hear(spoiled))).toBe('AUTHENTICATION_FAILED');
    expect(kinds(rest.map((broadcast) => alice.hear(broadcast)))).toEqual(['nothing', 'epoch']);
    expect(alice.welcome(liar.nodeId, liar.welcome('alice'))).toMatchObject({ kind: 'held' });
    expect(kinds(scene.next({}).map((broadcast) => alice.hear(broadcast)))).toEqual([
      'nothing',
      'epoch',
      'held',
    ]);
  });

  test('a broadcast with seals, a share or a step of its own changes nothing', () => {
    const { scene, members } = createdGroup(suite, FIVE);
    const alice = memberOf(members, 'alice');
    const before = encodeState(alice.state);
    const [broadcast] = three(scene.next({ removed: ['dave'] }));
    const seals = broadcast.seals.map((seal) => ({ ...seal, sealed: flipped(seal.sealed) }));
    const lying = [
      { ...broadcast, seals },
      { ...broadcast, sealedShare: flipped(broadcast.sealedShare) },
      { ...broadcast, nonce: flipped(broadcast.nonce) },
    ];
    for (const lie of lying) expect(codeOf(() => alice.hear(lie))).toBe('AUTHENTICATION_FAILED');
    expect(alice.hear({ ...broadcast, from: flipped(broadcast.from) })).toEqual({ kind: 'waiting' });
    expect(alice.hear({ ...broadcast, step: broadcast.step + 1 })).toEqual({ kind: 'waiting' });
    expect(alice.hear({ ...broadcast, step: 2 ** 50 })).toEqual({ kind: 'waiting' });
    expect(encodeState(alice.state)).toEqual(before);
    expect(alice.hear(broadcast).kind).toBe('nothing');
  });

  test('a broadcast of a share that does not fit its commitment changes nothing', () => {
    const scene = new GroupScene(suite);
    const first = scene.deal({ added: FIVE });
    scene.settle(first);
    scene.nodes.forEach((node) => node.bring(first));
    const alice = new SceneMember('alice');
    scene.nodes.forEach((node) => alice.welcome(node.nodeId, node.welcome('alice')));
    const dealt = scene.deal({});
    const [one, other] = dealt.deal.shares;
    if (!one || !other) throw new Error('there are shares');
    const swapped = { ...dealt, deal: { ...dealt.deal, shares: [other, one] } };
    const broadcast = scene.nodes[0].bring(swapped);
    if (!broadcast) throw new Error('the node broadcasts');
    expect(codeOf(() => alice.hear(broadcast))).toBe('SHARE_MISMATCH');
    expect(alice.state.paths.find(({ nodeId }) => nodeId === 'amsterdam')?.step).toBe(0);
  });

  test('an epoch number far ahead brings nothing, and the next welcome mends it', () => {
    const { scene, members } = createdGroup(suite, FIVE);
    const alice = memberOf(members, 'alice');
    const far = scene.deal({ epoch: 2 ** 52, salt: 'far' });
    const liar = scene.nodes[0];
    const truth = liar.welcome('alice');
    const share = liar.shareOf(far);
    alice.welcome(liar.nodeId, { ...truth, header: far.deal.header, tag: far.deal.tag, share });
    expect(alice.held).toEqual([1]);
    const outputs = scene.next({}).map((broadcast) => alice.hear(broadcast));
    expect(kinds(outputs)).toEqual(['waiting', 'nothing', 'epoch']);
    expect(alice.welcome(liar.nodeId, liar.welcome('alice'))).toMatchObject({ kind: 'held' });
    expect(kinds(scene.next({}).map((broadcast) => alice.hear(broadcast)))).toEqual([
      'nothing',
      'epoch',
      'held',
    ]);
  });

  test('many headers of one node wait for others, and the oldest go', () => {
    const { scene, members } = createdGroup(suite, FIVE);
    const alice = memberOf(members, 'alice');
    const liar = scene.nodes[0];
    for (let i = 0; i < 8; i++) {
      const made = scene.deal({ epoch: 10 + i, salt: `made ${i}` });
      const { header, tag } = made.deal;
      alice.welcome(liar.nodeId, { ...liar.welcome('alice'), header, tag, share: liar.shareOf(made) });
    }
    expect(alice.state.gatherings.map(({ header }) => header.epoch)).toEqual([15, 16, 17]);
  });

  test('a node outside the set, and a set below the floors, are refused', () => {
    const scene = new GroupScene(suite);
    scene.next({ added: FIVE });
    const alice = new SceneMember('alice');
    const fields = scene.nodes[0].welcome('alice');
    expect(codeOf(() => alice.welcome('delhi', fields))).toBe('NOT_IN_NODE_SET');
    const [broadcast] = three(scene.next({}));
    const below = { ...broadcast, header: { ...broadcast.header, nodes: NODE_IDS.slice(0, 2) } };
    expect(codeOf(() => alice.hear(below))).toBe('BELOW_FLOOR');
    const foreign = { ...broadcast, header: { ...broadcast.header, suiteId: 9 } };
    expect(codeOf(() => alice.hear(foreign))).toBe('SUITE_FORBIDDEN');
  });
});

test('GRP-9: shares of a dealer that do not fit its tag end the deal for ever', () => {
  const { scene, members } = createdGroup(suite, FIVE);
  const alice = memberOf(members, 'alice');
  const dealt = scene.deal({});
  const tag = flipped(dealt.deal.tag);
  const lie = { ...dealt, deal: { ...dealt.deal, tag } };
  const outputs = scene.nodes.map((node) => {
    const broadcast = node.bring(lie);
    return broadcast && alice.hear(broadcast);
  });
  expect(outputs.map((output) => output?.kind)).toEqual(['nothing', 'misfit', 'nothing']);
  expect(outputs[1]).toMatchObject({ dealer: deviceOf('alice') });
  expect(alice.state.gatherings).toEqual([]);
  expect(alice.held).toEqual([1]);
  for (const node of scene.nodes) {
    expect(alice.welcome(node.nodeId, node.welcome('alice'))).toEqual({ kind: 'nothing' });
  }
});

describe('GRP-5: two epoch ids of one number', () => {
  test('are both held, the smaller first, and the next epoch ends that', () => {
    const { scene, members } = createdGroup(suite, FIVE);
    const alice = memberOf(members, 'alice');
    const [a, b, c] = scene.nodes;
    const one = scene.deal({ salt: 'one' });
    const other = scene.deal({ salt: 'other' });
    alice.hear(a.bring(one) as EpochBroadcast);
    alice.hear(b.bring(one) as EpochBroadcast);
    alice.hear(c.bring(other) as EpochBroadcast);
    const lie = {
      ...b.welcome('alice'),
      header: other.deal.header,
      tag: other.deal.tag,
      share: b.shareOf(other),
    };
    expect(alice.welcome(b.nodeId, lie)).toMatchObject({ kind: 'epoch', confirmTo: ['cairo', 'bern'] });
    const ids = alice.state.epochs.slice(0, 2).map(({ epochId }) => toHex(epochId));
    expect(ids).toEqual(ids.toSorted());
    expect(alice.held).toEqual([2, 2, 1]);
  });
});

describe('GRP-9: what ends', () => {
  test('only three epochs are held, and the paths of older ones go', () => {
    const { scene, members } = createdGroup(suite, FIVE);
    const alice = memberOf(members, 'alice');
    for (let i = 0; i < 3; i++) {
      const [first, second, third] = three(scene.next({}));
      alice.hear(first);
      alice.hear(second);
      if (i === 0) expect(alice.hear({ ...third, from: flipped(third.from) }).kind).toBe('waiting');
    }
    expect(alice.held).toEqual([4, 3, 2]);
    expect(alice.state.paths.map(({ nodeId }) => nodeId)).toEqual(['amsterdam', 'bern']);
    const cairo = scene.nodes[2];
    expect(alice.welcome(cairo.nodeId, cairo.welcome('alice'))).toMatchObject({ confirmTo: ['cairo'] });
  });

  test('an epoch ends with its lifetime, and does not come back', () => {
    const { scene, members } = createdGroup(suite, FIVE);
    const alice = memberOf(members, 'alice');
    alice.end(LIFETIME_SECONDS * 1000 - 1);
    expect(alice.held).toEqual([1]);
    expect(sendingEpoch(alice.state, LIFETIME_SECONDS * 1000, BOUND_MS)).toBeUndefined();
    alice.end(LIFETIME_SECONDS * 1000);
    expect(alice.held).toEqual([]);
    expect(alice.state.paths).toEqual([]);
    const [node] = scene.nodes;
    expect(alice.welcome(node.nodeId, node.welcome('alice'))).toMatchObject({
      kind: 'held',
      confirmTo: ['amsterdam'],
    });
    expect(alice.state.paths).toEqual([]);
    for (const broadcast of scene.next({})) expect(alice.hear(broadcast).kind).toBe('waiting');
    scene.nodes.forEach((each) => alice.welcome(each.nodeId, each.welcome('alice'), 1));
    expect(alice.held).toEqual([2]);
  });

  test('epochs below a barrier end with the bound, and not before', () => {
    const { scene, members } = createdGroup(suite, FIVE);
    const alice = memberOf(members, 'alice');
    scene.next({}).forEach((broadcast) => alice.hear(broadcast, 1000));
    scene.next({ removed: ['eve'] }).forEach((broadcast) => alice.hear(broadcast, 2000));
    alice.end(2000 + BOUND_MS - 1);
    expect(alice.held).toEqual([3, 2, 1]);
    alice.end(2000 + BOUND_MS);
    expect(alice.held).toEqual([3]);
    expect(sendingEpoch(alice.state, 2000 + BOUND_MS, BOUND_MS)?.header.epoch).toBe(3);
  });

  test('epochs below a barrier end with the epoch that has it, when that lives shorter than the bound', () => {
    const { scene, members } = createdGroup(suite, FIVE);
    const alice = memberOf(members, 'alice');
    scene.next({ removed: ['eve'], lifetimeSeconds: 2 }).forEach((broadcast) => alice.hear(broadcast, 1000));
    alice.end(2999);
    expect(alice.held).toEqual([2, 1]);
    alice.end(3000);
    expect(alice.held).toEqual([]);
  });

  test('an epoch that was overtaken is still taken when its shares come late', () => {
    const { scene, members } = createdGroup(suite, FIVE);
    const alice = memberOf(members, 'alice');
    const second = three(scene.next({}));
    alice.hear(second[0]);
    alice.hear(second[2]);
    const third = three(scene.next({}));
    alice.hear(third[0]);
    alice.hear(third[2]);
    expect(alice.hear(second[1])).toMatchObject({ kind: 'held' });
    expect(alice.hear(third[1])).toMatchObject({ kind: 'held' });
    expect(alice.held).toEqual([3, 2, 1]);
  });
});

describe('GRP-9: a node that is behind', () => {
  test('brings an epoch that was overtaken, and its path is of use', () => {
    const { scene, members } = createdGroup(suite, FIVE);
    const alice = memberOf(members, 'alice');
    const [a, b] = scene.nodes;
    const second = three(scene.next({}));
    alice.hear(second[0]);
    const third = three(scene.next({}));
    alice.welcome(a.nodeId, a.welcome('alice'));
    expect(alice.welcome(b.nodeId, b.welcome('alice'))).toMatchObject({ kind: 'epoch' });
    expect(alice.hear(second[2])).toMatchObject({ kind: 'epoch', confirmTo: ['cairo'] });
    expect(alice.held).toEqual([3, 2, 1]);
    expect(alice.hear(third[2])).toMatchObject({ kind: 'held', confirmTo: ['cairo'] });
  });

  test('brings nothing of an epoch older than those that are held', () => {
    const scene = new GroupScene(suite);
    scene.next({ added: FIVE });
    const alice = new SceneMember('alice');
    const [a, b, c] = scene.nodes;
    const late = c.welcome('alice');
    [a, b].forEach((node) => alice.welcome(node.nodeId, node.welcome('alice')));
    for (let i = 0; i < 3; i++) scene.next({}).forEach((broadcast) => alice.hear(broadcast));
    expect(alice.held).toEqual([4, 3, 2]);
    expect(alice.welcome(c.nodeId, late)).toMatchObject({ kind: 'held' });
    const old = scene.deal({ epoch: 1, salt: 'old' });
    const { header, tag } = old.deal;
    expect(alice.welcome(c.nodeId, { ...late, header, tag, share: c.shareOf(old) })).toEqual({
      kind: 'nothing',
    });
    expect(alice.state.paths.map(({ nodeId }) => nodeId)).toEqual(['amsterdam', 'bern']);
    expect(alice.state.gatherings).toEqual([]);
  });
});

describe('GRP-9: a member that is out', () => {
  test('erases the group when k nodes vacated its place, not when one did', () => {
    const { scene, members } = createdGroup(suite, FIVE);
    const eve = memberOf(members, 'eve');
    const [first, second] = three(scene.next({ removed: ['eve'] }));
    expect(eve.hear(first)).toEqual({ kind: 'nothing' });
    expect(eve.hear(first)).toEqual({ kind: 'nothing' });
    expect(eve.held).toEqual([1]);
    expect(eve.hear(second).kind).toBe('out');
    expect(eve.held).toEqual([]);
    expect(eve.state.paths).toEqual([]);
  });

  test('one node that says so and another epoch id elsewhere do not add up', () => {
    const { scene, members } = createdGroup(suite, FIVE);
    const eve = memberOf(members, 'eve');
    const lie = scene.deal({ removed: ['eve'], salt: 'lie' });
    const truth = scene.deal({ removed: ['eve'], salt: 'truth' });
    expect(eve.hear(scene.nodes[0].bring(lie) as EpochBroadcast).kind).toBe('nothing');
    expect(eve.hear(scene.nodes[1].bring(truth) as EpochBroadcast).kind).toBe('nothing');
    expect(eve.held).toEqual([1]);
  });

  test('a welcome of the node takes back what it said', () => {
    const { scene, members } = createdGroup(suite, FIVE);
    const eve = memberOf(members, 'eve');
    const [a, b] = scene.nodes;
    const welcome = a.welcome('eve');
    const removal = scene.deal({ removed: ['eve'] });
    eve.hear(a.bring(removal) as EpochBroadcast);
    eve.welcome(a.nodeId, welcome);
    expect(eve.hear(b.bring(removal) as EpochBroadcast).kind).toBe('nothing');
    expect(eve.state.farewells.map(({ nodeId }) => nodeId)).toEqual(['bern']);
  });
});

describe('GRP-10: a notice that an epoch is due', () => {
  test('is believed when k nodes name the device, and holds up sending', () => {
    const { scene, members } = createdGroup(suite, FIVE);
    const bob = memberOf(members, 'bob');
    expect(bob.due(notice(scene, 'amsterdam'), 500)).toEqual({ kind: 'nothing' });
    expect(bob.due(notice(scene, 'amsterdam'), 600)).toEqual({ kind: 'nothing' });
    expect(sendingEpoch(bob.state, 600, BOUND_MS)?.header.epoch).toBe(1);
    const output = bob.due(notice(scene, 'cairo'), 1000);
    expect(output).toMatchObject({ kind: 'due' });
    expect(believedDue(bob.state)).toMatchObject({
      epoch: 1,
      reason: 'left',
      out: [deviceOf('eve')],
      sinceMs: 1000,
      turn: { place: 1, of: 2 },
    });
    expect(dealDelayMs({ place: 1, of: 2 }, BOUND_MS)).toBe(BOUND_MS / 4);
    expect(bob.due(notice(scene, 'bern'), 1500)).toEqual({ kind: 'nothing' });
    expect(sendingEpoch(bob.state, 1500, BOUND_MS)).toBeUndefined();
    expect(sendingEpoch(bob.state, 1000 + 2 * BOUND_MS, BOUND_MS)?.header.epoch).toBe(1);
  });

  test('of one device by one node and of another by another is believed of neither', () => {
    const { scene, members } = createdGroup(suite, FIVE);
    const bob = memberOf(members, 'bob');
    bob.due(notice(scene, 'amsterdam'));
    expect(bob.due(notice(scene, 'bern', { out: [deviceOf('dave')] })).kind).toBe('nothing');
    const usedUp = { reason: 'used-up', out: [] } as const;
    expect(bob.due(notice(scene, 'cairo', { ...usedUp, epoch: 4 })).kind).toBe('nothing');
    expect(bob.due(notice(scene, 'delhi', usedUp)).kind).toBe('nothing');
  });

  test('that is replayed undoes nothing, and one of a former epoch is dropped', () => {
    const { scene, members } = createdGroup(suite, FIVE);
    const carol = memberOf(members, 'carol');
    const older = notice(scene, 'amsterdam', { order: [deviceOf('bob')] });
    const out = [deviceOf('eve'), deviceOf('bob')];
    const order = [deviceOf('carol')];
    carol.due(older);
    carol.due(notice(scene, 'amsterdam', { out, order, reason: 'revoked' }));
    carol.due(notice(scene, 'bern', { out, order, reason: 'revoked' }));
    carol.due(older);
    expect(believedDue(carol.state)).toMatchObject({ out, turn: { place: 0, of: 1 }, reason: 'revoked' });
    const former = notice(scene, 'bern');
    scene.next({ removed: ['eve', 'bob'] }).forEach((broadcast) => carol.hear(broadcast));
    expect(believedDue(carol.state)).toBeUndefined();
    expect(carol.due(former)).toEqual({ kind: 'nothing' });
    expect(carol.state.notices).toEqual([]);
  });

  test('for an epoch that is used up suspends nothing', () => {
    const { scene, members } = createdGroup(suite, FIVE);
    const alice = memberOf(members, 'alice');
    const usedUp = { reason: 'used-up', out: [] } as const;
    alice.due(notice(scene, 'amsterdam', usedUp));
    expect(alice.due(notice(scene, 'bern', usedUp))).toMatchObject({
      kind: 'due',
      due: { reason: 'used-up', out: [], turn: { place: 0, of: 2 } },
    });
    expect(sendingEpoch(alice.state, 0, BOUND_MS)?.header.epoch).toBe(1);
    expect(alice.due(notice(scene, 'bern')).kind).toBe('nothing');
    expect(alice.due(notice(scene, 'amsterdam')).kind).toBe('due');
    expect(believedDue(alice.state)?.reason).toBe('left');
    expect(sendingEpoch(alice.state, 0, BOUND_MS)).toBeUndefined();
  });

  test('gives no turn to a device that is out itself, nor to one that holds nothing', () => {
    const { scene, members } = createdGroup(suite, FIVE);
    const alice = memberOf(members, 'alice');
    const out = [deviceOf('alice')];
    alice.due(notice(scene, 'amsterdam', { out }));
    alice.due(notice(scene, 'bern', { out }));
    expect(believedDue(alice.state)).toMatchObject({ out, turn: undefined });
    expect(new SceneMember('frank').due(notice(scene, 'bern'))).toEqual({ kind: 'nothing' });
  });

  test('is believed before the member has its first epoch', () => {
    const scene = new GroupScene(suite);
    scene.next({ added: FIVE });
    const bob = new SceneMember('bob');
    bob.welcome('amsterdam', scene.nodes[0].welcome('bob'));
    bob.due(notice(scene, 'amsterdam'));
    expect(bob.due(notice(scene, 'cairo'))).toMatchObject({
      kind: 'due',
      due: { turn: { place: 1, of: 2 } },
    });
    const carol = new SceneMember('carol');
    carol.state = newMember(GROUP_ID, deviceOf('carol'), { threshold: 2, nodes: NODE_IDS });
    const order = [deviceOf('carol')];
    carol.due(notice(scene, 'amsterdam', { order }));
    expect(carol.due(notice(scene, 'cairo', { order }))).toMatchObject({ kind: 'due' });
    scene.nodes.forEach((node) => carol.welcome(node.nodeId, node.welcome('carol')));
    expect(carol.held).toEqual([1]);
    expect(sendingEpoch(carol.state, 0, BOUND_MS)).toBeUndefined();
  });

  test('of one node is kept for three epochs at most', () => {
    const { scene, members } = createdGroup(suite, FIVE);
    const alice = memberOf(members, 'alice');
    for (let epoch = 1; epoch <= 6; epoch++) {
      alice.due(notice(scene, 'bern', { epoch, epochId: Uint8Array.of(epoch) }));
    }
    expect(alice.state.notices.map(({ epoch }) => epoch)).toEqual([4, 5, 6]);
    alice.due(notice(scene, 'bern', { epoch: 5, epochId: Uint8Array.of(5) }));
    expect(alice.state.notices.map(({ epoch }) => epoch)).toEqual([4, 6, 5]);
  });

  test('of two epochs that k nodes name, the newer one counts', () => {
    const { scene, members } = createdGroup(suite, FIVE);
    const alice = memberOf(members, 'alice');
    for (const nodeId of ['bern', 'cairo']) {
      alice.due(notice(scene, nodeId));
      alice.due(notice(scene, nodeId, { epoch: 2, epochId: Uint8Array.of(2) }));
    }
    expect(believedDue(alice.state)?.epoch).toBe(2);
  });

  test('of an epoch that the member does not have yet holds it up as well: who is out may be in its own', () => {
    const { scene, members } = createdGroup(suite, FIVE);
    const alice = memberOf(members, 'alice');
    for (const nodeId of ['bern', 'cairo']) {
      alice.due(notice(scene, nodeId, { epoch: 2, epochId: Uint8Array.of(2) }));
    }
    expect(sendingEpoch(alice.state, 0, BOUND_MS)).toBeUndefined();
    expect(sendingEpoch(alice.state, 2 * BOUND_MS, BOUND_MS)?.header.epoch).toBe(1);
  });

  test('of a revoked device holds it up until it has a newer epoch', () => {
    const { scene, members } = createdGroup(suite, FIVE);
    const alice = memberOf(members, 'alice');
    alice.due(notice(scene, 'bern'), 0);
    expect(alice.due(notice(scene, 'cairo', { reason: 'revoked' }), 0).kind).toBe('due');
    expect(believedDue(alice.state)?.reason).toBe('revoked');
    expect(sendingEpoch(alice.state, LIFETIME_SECONDS * 1000 - 1, BOUND_MS)).toBeUndefined();
    alice.due(notice(scene, 'cairo'), 0);
    expect(sendingEpoch(alice.state, LIFETIME_SECONDS * 1000 - 1, BOUND_MS)).toBeUndefined();
    scene.next({ removed: ['eve'] }).forEach((broadcast) => alice.hear(broadcast));
    expect(sendingEpoch(alice.state, 0, BOUND_MS)?.header.epoch).toBe(2);
  });

  test('of one more device holds it up anew, and puts no turn off', () => {
    const { scene, members } = createdGroup(suite, FIVE);
    const bob = memberOf(members, 'bob');
    const again = { out: [deviceOf('eve'), deviceOf('dave')] };
    for (const nodeId of ['bern', 'cairo']) bob.due(notice(scene, nodeId), 0);
    expect(sendingEpoch(bob.state, 2 * BOUND_MS, BOUND_MS)?.header.epoch).toBe(1);
    for (const nodeId of ['bern', 'cairo']) bob.due(notice(scene, nodeId, again), 3 * BOUND_MS);
    expect(believedDue(bob.state)).toMatchObject({ sinceMs: 0, lastMs: 3 * BOUND_MS });
    expect(sendingEpoch(bob.state, 5 * BOUND_MS - 1, BOUND_MS)).toBeUndefined();
    for (const nodeId of ['bern', 'cairo']) bob.due(notice(scene, nodeId, again), 4 * BOUND_MS);
    expect(sendingEpoch(bob.state, 5 * BOUND_MS, BOUND_MS)?.header.epoch).toBe(1);
  });

  test('counts for who is out, also when a newer epoch is said to be used up', () => {
    const { scene, members } = createdGroup(suite, FIVE);
    const bob = memberOf(members, 'bob');
    const usedUp = { reason: 'used-up', out: [], epoch: 2, epochId: Uint8Array.of(2) } as const;
    for (const nodeId of ['bern', 'cairo']) bob.due(notice(scene, nodeId, usedUp));
    expect(believedDue(bob.state)).toMatchObject({ epoch: 2, reason: 'used-up', out: [] });
    bob.due(notice(scene, 'amsterdam'));
    bob.due(notice(scene, 'bern', { epoch: 3, epochId: Uint8Array.of(3) }));
    expect(believedDue(bob.state)).toMatchObject({ epoch: 1, reason: 'left', out: [deviceOf('eve')] });
    bob.due(notice(scene, 'cairo'));
    expect(believedDue(bob.state)).toMatchObject({ epoch: 1, reason: 'left', out: [deviceOf('eve')] });
    expect(sendingEpoch(bob.state, 0, BOUND_MS)).toBeUndefined();
  });

  test('that says later that the device was revoked is told again', () => {
    const { scene, members } = createdGroup(suite, FIVE);
    const alice = memberOf(members, 'alice');
    alice.due(notice(scene, 'bern'), 0);
    expect(alice.due(notice(scene, 'cairo'), 0)).toMatchObject({ due: { reason: 'left' } });
    expect(sendingEpoch(alice.state, 2 * BOUND_MS, BOUND_MS)?.header.epoch).toBe(1);
    const revoked = alice.due(notice(scene, 'amsterdam', { reason: 'revoked' }), 2 * BOUND_MS);
    expect(revoked).toMatchObject({ kind: 'due', due: { reason: 'revoked' } });
    expect(sendingEpoch(alice.state, 2 * BOUND_MS, BOUND_MS)).toBeUndefined();
  });
});
