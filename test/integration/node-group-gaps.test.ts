import { SymmetraError, toHex } from '@symmetra/crypto';
import { sealGroupMessage } from '@symmetra/protocol';
import type { HeldEpoch } from '@symmetra/protocol';
import { systemClock } from '@symmetra/runtime';
import type { Clock } from '@symmetra/runtime';
import { fresh } from '@symmetra/testing';
import type { GroupDevice, TestGroup } from '@symmetra/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GroupWorld } from './node-group-world.js';

const CONFIRM = '/symmetra.group.v1.GroupService/Confirm';
const LEAVE = '/symmetra.group.v1.GroupService/Leave';
const ROSTER = '/symmetra.group.v1.GroupService/GetRoster';
const SEND = '/symmetra.group.v1.GroupService/Send';
const NODE = 'node-1';
/** GRP-8: when members that have not confirmed an epoch are welcomed. */
const SETTLED_MS = 5000;

let world: GroupWorld;
/** What the nodes do so long after an epoch began waits until the test says. */
const waiting: (() => void)[] = [];

const clock: Clock = {
  now: () => systemClock.now(),
  monotonic: () => systemClock.monotonic(),
  setTimer: (ms, callback) => {
    if (ms !== SETTLED_MS) return systemClock.setTimer(ms, callback);
    waiting.push(callback);
    return { cancel: () => void waiting.splice(waiting.indexOf(callback), 1) };
  },
};

beforeAll(async () => {
  world = await GroupWorld.start({}, clock);
});

afterAll(async () => {
  await world.stop();
});

const welcomes = ({ device }: GroupDevice): number =>
  device.events.filter(({ node, groupWelcome }) => node === NODE && groupWelcome).length;

const entryOf = async (asking: GroupDevice, group: TestGroup, of: GroupDevice) => {
  const { entries } = await asking.device.call(NODE, ROSTER, { groupId: group.groupId, from: 0 });
  return entries.find(({ device }) => toHex(device) === toHex(of.device.deviceId));
};

/** Waits until the group is in force at the node. */
const isThere = async (member: GroupDevice, group: TestGroup): Promise<unknown> =>
  member.until('the tree of the node', () =>
    member.groups.get(group.hex)?.paths.find(({ nodeId }) => nodeId === NODE),
  );

describe('what a node does for members that have not confirmed', () => {
  test('GRP-8, GRP-10: they are welcomed after a while, and not to an epoch that is suspended by then', async () => {
    const [alice, bob, carol] = await world.members(3);
    if (!alice || !bob || !carol) throw new Error('three devices');
    for (const suspended of [false, true]) {
      bob.confirms = false;
      const group = await world.group([alice, bob, carol]);
      await isThere(bob, group);
      const before = welcomes(bob);
      if (suspended) await carol.device.call(NODE, LEAVE, { groupId: group.groupId });
      for (const callback of waiting.splice(0)) callback();
      // What the node does for a group it does in turn.
      for (let i = 0; i < 5; i++) await entryOf(alice, group, bob);
      if (!suspended) await bob.until('another welcome', () => (welcomes(bob) > before ? true : undefined));
      else expect(welcomes(bob)).toBe(before);
    }
  });

  test('GRP-9: who confirms another epoch than the one in force has confirmed nothing', async () => {
    const [alice, bob] = await world.members(2);
    if (!alice || !bob) throw new Error('two devices');
    bob.confirms = false;
    const group = await world.group([alice, bob]);
    await isThere(bob, group);
    const { groupId, epochId } = group;
    await bob.device.call(NODE, CONFIRM, { groupId, epochId: fresh(epochId.length) });
    expect((await entryOf(alice, group, bob))?.confirmed).toBe(false);
    await bob.device.call(NODE, CONFIRM, { groupId, epochId });
    expect((await entryOf(alice, group, bob))?.confirmed).toBe(true);
  });
});

test('GRP-12: GROUP_NOT_MEMBER: a message of a device that is not in the group goes nowhere', async () => {
  const [carol, alice, bob] = await world.members(3);
  if (!alice || !bob || !carol) throw new Error('three devices');
  const group = await world.group([alice, bob]);
  await isThere(alice, group);
  const epoch = alice.groups.get(group.hex)?.epochs[0] as HeldEpoch;
  const { context, deviceId: sender } = carol.device;
  const from = { sender, counter: 0, guard: fresh(4) };
  const message = sealGroupMessage(context, epoch, from, fresh(0), fresh(5));
  await expect(carol.device.call(NODE, SEND, { message })).rejects.toMatchObject({
    code: 'GROUP_NOT_MEMBER',
  });
});

test('GRP-10, GRP-11: a node that stops before it could suspend a group suspends it when it starts', async () => {
  const [alice, bob, carol] = await world.members(3);
  if (!alice || !bob || !carol) throw new Error('three devices');
  const group = await world.group([alice, bob, carol]);
  await isThere(alice, group);
  const store = world.network.store(NODE);
  const commit = store.commit.bind(store);
  let failures = 0;
  store.commit = async (changes) => {
    if (!changes.some(({ key }) => key === `group/${group.hex}`)) return commit(changes);
    failures += 1;
    throw new SymmetraError('STORE_FULL', 'there is no room left for the store');
  };
  await world.network.administrator.submit({
    kind: 'device-revoke',
    deviceId: carol.device.deviceId,
    reason: 'stolen',
  });
  await alice.until('the store to fail', () => (failures > 0 ? true : undefined));
  for (const member of [alice, bob, carol]) member.unplug();
  await world.network.stopNode(NODE);
  store.commit = commit;
  await world.network.startNode(NODE);
  await alice.device.openSession(NODE);
  await expect(alice.send(NODE, group.deal(alice.device))).rejects.toMatchObject({ code: 'MEMBER_REVOKED' });
});
