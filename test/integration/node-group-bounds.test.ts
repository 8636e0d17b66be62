import { toHex } from '@symmetra/crypto';
import { systemClock } from '@symmetra/runtime';
import type { Clock } from '@symmetra/runtime';
import { TestGroup, fresh } from '@symmetra/testing';
import type { GroupDevice, TestDeal } from '@symmetra/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GroupWorld, fingerprintOf } from './node-group-world.js';

const NODE = 'node-1';
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

let world: GroupWorld;
/** What the nodes' wall clock is ahead by, milliseconds. */
let ahead = 0;

/** The machine's clock, but that what the nodes do each minute comes after a moment. */
const clock: Clock = {
  now: () => systemClock.now() + ahead,
  monotonic: () => systemClock.monotonic(),
  setTimer: (ms, callback) => systemClock.setTimer(ms === MINUTE_MS ? 20 : ms, callback),
};

beforeAll(async () => {
  world = await GroupWorld.start({}, clock);
});

afterAll(async () => {
  await world.stop();
});

const lost = (): number =>
  world.network.log.filter(({ message }) => message.includes('can not be read')).length;

const memberships = async ({ device }: GroupDevice, group: TestGroup): Promise<readonly string[]> =>
  world.rows(NODE, `member/${toHex(device.deviceId)}/${group.hex}`);

const corruptTree = async (group: TestGroup, value: Uint8Array | null): Promise<void> => {
  const keys = await world.rows(NODE, `group-tree/${group.hex}/0-`);
  await world.network.store(NODE).commit(keys.map((key) => ({ key, value })));
};

describe('what groups leave at a node', () => {
  test('GRP-4: a device has 256 groups that it created and that did not end; deals that come to nothing are given up', async () => {
    const [alice, bob] = await world.members(2);
    if (!alice || !bob) throw new Error('two devices');
    const first = (group: TestGroup): TestDeal =>
      group.deal(alice.device, { added: [alice.device, bob.device] });
    const group = new TestGroup([alice.device]);
    const deal = first(group);
    await alice.send(NODE, deal);
    const store = world.network.store(NODE);
    const row = await store.get(`group/${group.hex}`);
    if (row === undefined) throw new Error('the deal is pending');
    const others = Array.from({ length: 255 }, () => `group/${toHex(fresh(16))}`);
    await store.commit(others.map((key) => ({ key, value: row.value })));
    for (const { device } of [alice, bob]) device.link?.close();
    await world.network.stopNode(NODE);
    await world.network.startNode(NODE);
    for (const { device } of [alice, bob]) await device.connect(NODE);

    const tooMany = alice.send(NODE, first(new TestGroup([alice.device])));
    await expect(tooMany).rejects.toMatchObject({ code: 'GROUP_LIMITS', details: { limit: '256' } });
    const bobs = new TestGroup([bob.device]);
    await bob.send(NODE, bobs.deal(bob.device, { added: [alice.device, bob.device] }));

    ahead += HOUR_MS - MINUTE_MS;
    await world.network.node(NODE).sweep();
    expect(await world.rows(NODE, `group-deal/${group.hex}`)).toHaveLength(1);
    ahead += 2 * MINUTE_MS;
    await world.network.node(NODE).sweep();
    expect(await world.rows(NODE, `group-deal/${group.hex}`)).toHaveLength(0);
    const another = alice.send(NODE, first(group));
    await expect(another).rejects.toMatchObject({ code: 'GROUP_CONFLICT', details: { epoch: '1' } });
    await alice.send(NODE, first(new TestGroup([alice.device])));
    await alice.sendAll(deal);
    group.settle(deal);
    for (const member of [alice, bob]) await member.held(deal);
    await world.deal(group, alice);
  });

  test('GRP-4: a later deal that comes to nothing is given up, and the group goes on with a higher number', async () => {
    const [alice, bob, carol, dave] = await world.members(4);
    if (!alice || !bob || !carol || !dave) throw new Error('four devices');
    const group = await world.group([alice, bob]);
    const higher = group.deal(alice.device, { added: [carol.device], header: { epoch: 3 } });
    await alice.send(NODE, group.deal(alice.device, { added: [carol.device, dave.device] }));
    expect(await memberships(dave, group)).toHaveLength(1);
    await alice.send(NODE, higher);
    expect(await memberships(dave, group)).toEqual([]);
    expect(await memberships(carol, group)).toHaveLength(1);
    ahead += HOUR_MS + MINUTE_MS;
    await world.network.node(NODE).sweep();
    expect(await world.rows(NODE, `group-deal/${group.hex}`)).toHaveLength(0);
    expect(await memberships(carol, group)).toEqual([]);
    expect(await memberships(bob, group)).toHaveLength(1);
    const again = alice.send(NODE, group.deal(alice.device));
    await expect(again).rejects.toMatchObject({ code: 'GROUP_CONFLICT', details: { epoch: '3' } });
    await world.deal(group, alice, { header: { epoch: 4 } });
    expect(fingerprintOf(bob, group)).toBe(fingerprintOf(alice, group));
  });
});

describe('a node that lost a group', () => {
  test('GRP-8, GRP-10: it serves the other groups of its members, and suspends them', async () => {
    const [alice, bob, carol] = await world.members(3);
    if (!alice || !bob || !carol) throw new Error('three devices');
    const groups = [await world.group([alice, bob, carol]), await world.group([alice, bob, carol])] as const;
    const [broken, whole] = groups.toSorted((one, other) => (one.hex < other.hex ? -1 : 1));
    if (broken === undefined || whole === undefined) throw new Error('two groups');
    for (const { device } of [alice, bob, carol]) device.link?.close();
    await world.network.stopNode(NODE);
    await world.network.store(NODE).commit([{ key: `group-roster/${broken.hex}/00000`, value: null }]);
    await world.network.startNode(NODE);
    const events = bob.device.events.length;
    for (const member of [alice, bob]) await member.device.connect(NODE);
    await bob.until('a welcome to the other group', () =>
      bob.device.events.slice(events).find(({ node, groupWelcome }) => node === NODE && groupWelcome),
    );
    const wanted = 'A device could not be welcomed to a group.';
    expect(world.network.log.some(({ message }) => message === wanted)).toBe(true);

    await world.network.administrator.submit({
      kind: 'device-revoke',
      deviceId: carol.device.deviceId,
      reason: 'stolen',
    });
    const due = await alice.told(
      'due',
      ({ nodeId, groupId }) => nodeId === NODE && toHex(groupId) === whole.hex,
    );
    expect(due.out.map(toHex)).toEqual([toHex(carol.device.deviceId)]);
    const stays = alice.send(NODE, whole.deal(alice.device));
    await expect(stays).rejects.toMatchObject({ code: 'MEMBER_REVOKED' });
    await world.deal(whole, alice, { removed: [carol.device] });

    const bobs = { kind: 'device-revoke', deviceId: bob.device.deviceId, reason: 'stolen' } as const;
    await world.network.administrator.submit(bobs);
    await alice.told('due', ({ nodeId, epoch, groupId }) => {
      return nodeId === NODE && epoch === whole.epoch && toHex(groupId) === whole.hex;
    });
    alice.device.link?.close();
    await world.network.stopNode(NODE);
    await world.network.store(NODE).commit([{ key: `group-roster/${whole.hex}/00000`, value: null }]);
    await world.network.startNode(NODE);
    const said = 'That an epoch of a group is due could not be said again.';
    expect(world.network.log.some(({ message }) => message === said)).toBe(true);
  });
});

describe('a node whose tree can not be read', () => {
  const held = async (member: GroupDevice, group: TestGroup): Promise<unknown> =>
    member.until('the tree of the node', () =>
      member.groups
        .get(group.hex)
        ?.paths.find(({ nodeId, epoch }) => nodeId === NODE && epoch === group.epoch),
    );

  test.each<[what: string, value: Uint8Array | null]>([
    ['missing', null],
    ['damaged', new Uint8Array(7)],
  ])('GRP-6: pages that are %s: the next epoch makes the tree anew, with welcomes', async (_what, value) => {
    const [alice, bob, carol] = await world.members(3);
    if (!alice || !bob || !carol) throw new Error('three devices');
    const group = await world.group([alice, bob, carol]);
    await held(alice, group);
    const before = lost();
    await corruptTree(group, value);
    await world.deal(group, alice, { removed: [carol.device] });
    for (const member of [alice, bob]) await held(member, group);
    expect(lost()).toBeGreaterThan(before);
    const after = lost();
    await world.deal(group, alice);
    for (const member of [alice, bob]) await held(member, group);
    expect(lost()).toBe(after);
    expect(fingerprintOf(bob, group)).toBe(fingerprintOf(alice, group));
  });

  test('GRP-6, GRP-8: pages that a welcome wants: all members are welcomed to a tree made anew', async () => {
    const [alice, bob] = await world.members(2);
    if (!alice || !bob) throw new Error('two devices');
    bob.confirms = false;
    const group = await world.group([alice, bob]);
    await held(alice, group);
    await corruptTree(group, null);
    const before = lost();
    const welcomed = ({ device }: GroupDevice): number =>
      device.events.filter(({ node, groupWelcome }) => node === NODE && groupWelcome).length;
    const count = welcomed(alice);
    bob.confirms = true;
    bob.unplug();
    await bob.device.connect(NODE);
    await alice.until('another welcome', () => (welcomed(alice) > count ? true : undefined));
    expect(lost()).toBe(before + 1);
    const counts = [alice, bob].map(welcomed);
    await world.deal(group, alice);
    for (const member of [alice, bob]) await held(member, group);
    expect([alice, bob].map(welcomed)).toEqual(counts);
    expect([...alice.refusals, ...bob.refusals]).toEqual([]);
  });
});
