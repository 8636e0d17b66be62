import { describe, expect, test } from 'vitest';
import { toBase32, toHex } from '@symmetra/crypto';
import { decodeGroupHeader } from '@symmetra/protocol';
import { GROUP_ID, deviceOf } from './group-world.js';
import { CONTEXT } from './protocol-world.js';
import { FakeNodes, sceneDevice, signedNotice } from './sdk-group-world.js';
import type { SceneDevice } from './sdk-group-world.js';

const ID = toHex(GROUP_ID);
const HOUR_MS = 3_600_000;
const idOf = (name: string): string => toBase32(deviceOf(name));

interface Scene {
  readonly nodes: FakeNodes;
  readonly alice: SceneDevice;
  readonly bob: SceneDevice;
}

/** A group of Alice, Bob and Carol, of whom Alice and Bob manage; only `awake` deal by themselves. */
async function scene(awake: readonly ('alice' | 'bob')[], uses = 0): Promise<Scene> {
  const nodes = new FakeNodes();
  const alice = await sceneDevice('alice', nodes);
  const bob = await sceneDevice('bob', nodes, { clock: alice.clock });
  const devices = { alice, bob };
  for (const name of awake) devices[name].groups.bound();
  const creating = alice.group.create({
    members: [idOf('bob'), idOf('carol')],
    managers: [idOf('bob')],
    uses,
  });
  await alice.pass(300);
  await creating;
  return { nodes, ...devices };
}

const epochAt = ({ nodes }: Scene): number => nodes.inForce?.request.epoch ?? 0;
const dealerOf = ({ nodes }: Scene): string =>
  toBase32(decodeGroupHeader(CONTEXT, nodes.inForce?.deal.header ?? new Uint8Array(0)).dealer);

describe('GRP-10: rotation on time', () => {
  test('the first manager rotates after half the lifetime, and then again', async () => {
    const all = await scene(['alice', 'bob']);
    await all.alice.pass(HOUR_MS - 1000);
    expect(epochAt(all)).toBe(1);
    await all.alice.pass(2000);
    expect([epochAt(all), dealerOf(all)]).toEqual([2, idOf('alice')]);
    await all.alice.pass(HOUR_MS);
    expect([epochAt(all), dealerOf(all)]).toEqual([3, idOf('alice')]);
  });

  test('the second one rotates a thirty-second of the lifetime later when the first one does not', async () => {
    const all = await scene(['bob']);
    await all.alice.pass(HOUR_MS + (2 * HOUR_MS) / 32 - 1000);
    expect(epochAt(all)).toBe(1);
    await all.alice.pass(2000);
    expect([epochAt(all), dealerOf(all)]).toEqual([2, idOf('bob')]);
  });

  test('half the uses of any member are as good a reason', async () => {
    const all = await scene(['alice'], 8);
    const sealed = [];
    for (let i = 0; i < 4; i++) sealed.push(await all.bob.group.seal(ID, Uint8Array.of(i)));
    await all.alice.group.open(sealed[2] as Uint8Array);
    await all.alice.pass(500);
    expect(epochAt(all)).toBe(1);
    await all.alice.group.open(sealed[3] as Uint8Array);
    await all.alice.pass(500);
    expect(epochAt(all)).toBe(2);
  });

  test('a manager that was away past the lifetime deals at once', async () => {
    const all = await scene([]);
    await all.alice.groups.close();
    await all.alice.pass(3 * HOUR_MS);
    const { store, clock } = all.alice;
    const back = await sceneDevice('alice', all.nodes, { store, clock });
    back.groups.bound();
    await back.pass(1000);
    expect(back.group.show(ID)).toMatchObject({ epoch: 2, members: 3 });
  });
});

describe('GRP-10: a device that was removed while it was away', () => {
  test('forgets the group when the time of its keys is over, as the nodes say', async () => {
    const all = await scene([]);
    await all.bob.groups.close();
    await all.alice.pass(3 * HOUR_MS);
    const { store, clock } = all.bob;
    const back = await sceneDevice('bob', all.nodes, { store, clock });
    all.nodes.isOut = true;
    back.groups.bound();
    await back.pass(1000);
    expect(back.told).toEqual([{ kind: 'groupEnded', about: { groupId: ID, reason: 'removed' } }]);
    expect(await back.state.list('group')).toEqual([]);
  });
});

describe('GRP-10: somebody is out', () => {
  const out = [deviceOf('carol')];
  const tell = (all: Scene, devices: readonly SceneDevice[], nodes = ['amsterdam', 'bern']): void => {
    for (const nodeId of nodes) {
      for (const device of devices) device.groups.broadcast(signedNotice(all.nodes, nodeId, { out }));
    }
  };

  test('k nodes say so: the first of the order deals without it at once', async () => {
    const all = await scene(['alice', 'bob']);
    tell(all, [all.alice, all.bob]);
    await all.alice.pass(500);
    expect([epochAt(all), dealerOf(all)]).toEqual([2, idOf('alice')]);
    expect(all.nodes.roster.placeOf(deviceOf('carol'))).toBeUndefined();
    expect(all.bob.told).toContainEqual({
      kind: 'groupDue',
      about: expect.objectContaining({ groupId: ID, reason: 'left', out: [idOf('carol')] }),
    });
    expect(all.bob.group.show(ID)).toMatchObject({ members: 2, suspended: false });
  });

  test('fewer than k nodes can not make anybody deal, or hold anything up', async () => {
    const all = await scene(['alice', 'bob']);
    tell(all, [all.alice, all.bob], ['bern']);
    await all.alice.pass(20_000);
    expect(epochAt(all)).toBe(1);
    expect(await all.alice.group.seal(ID, new Uint8Array(1))).toBeInstanceOf(Uint8Array);
  });

  test('the next one takes over after its part of the bound, and nothing is sent until then', async () => {
    const all = await scene(['bob']);
    tell(all, [all.bob]);
    await all.alice.pass(2000);
    expect(epochAt(all)).toBe(1);
    await expect(all.bob.group.seal(ID, new Uint8Array(1))).rejects.toMatchObject({
      code: 'GROUP_SUSPENDED',
    });
    await all.alice.pass(1000);
    expect([epochAt(all), dealerOf(all)]).toEqual([2, idOf('bob')]);
    expect(await all.bob.group.seal(ID, new Uint8Array(1))).toBeInstanceOf(Uint8Array);
  });

  test('who holds the epoch before the one that is suspended deals what follows that', async () => {
    const all = await scene([]);
    await all.alice.groups.close();
    all.alice.crash();
    const { store, clock } = all.alice;
    all.nodes.deaf.add('alice');
    const adding = all.bob.group.add(ID, [idOf('dave')]);
    await all.bob.pass(500);
    await adding;
    const back = await sceneDevice('alice', all.nodes, { store, clock });
    back.groups.bound();
    tell(all, [back]);
    await back.pass(1000);
    all.nodes.deaf.clear();
    all.nodes.deliver('alice');
    await back.pass(500);
    expect([epochAt(all), dealerOf(all)]).toEqual([3, idOf('alice')]);
    expect(all.nodes.roster.placeOf(deviceOf('carol'))).toBeUndefined();
    expect(all.nodes.roster.placeOf(deviceOf('dave'))).toBeDefined();
    expect(back.group.show(ID)).toMatchObject({ epoch: 3, members: 3 });
  });

  test('who restarts while its turn comes still takes it', async () => {
    const all = await scene([]);
    tell(all, [all.bob]);
    await all.alice.pass(500);
    await all.bob.groups.close();
    all.bob.crash();
    const { store, clock } = all.bob;
    const back = await sceneDevice('bob', all.nodes, { store, clock });
    back.groups.bound();
    await back.pass(5000);
    expect([epochAt(all), dealerOf(all)]).toEqual([2, idOf('bob')]);
  });

  test('a manager that changes the group meanwhile leaves it out too', async () => {
    const all = await scene([]);
    tell(all, [all.alice]);
    await all.alice.pass(100);
    const adding = all.alice.group.add(ID, [idOf('dave')]);
    await all.alice.pass(500);
    expect(await adding).toMatchObject({ epoch: 2, members: 3 });
    expect(all.nodes.roster.placeOf(deviceOf('carol'))).toBeUndefined();
  });
});
