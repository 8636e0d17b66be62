import { utf8 } from '@symmetra/crypto';
import type { Device } from '@symmetra/sdk';
import { afterEach, expect, test } from 'vitest';
import { Fleet, next, until } from './sdk-fleet.js';
import { agreed } from './sdk-group-fleet.js';

/*
 * Groups while nodes come, go and are replaced (CTL-2, GRP-10, GRP-11): the next epoch is dealt with the nodes that there
 * are, and a node that is new takes it, though it may not know every member yet.
 */
let fleet: Fleet;

afterEach(async () => fleet.stop());

/** Whether a node has an epoch of the group in force: its tree is there. */
async function hasGroup(node: string, groupId: string): Promise<boolean> {
  const pages = await fleet.network.store(node).scan(`group-tree/${groupId}/`, { limit: 1 });
  return pages.length > 0;
}

async function untilAt(node: string, groupId: string): Promise<void> {
  for (let turn = 0; turn < 200; turn++) {
    if (await hasGroup(node, groupId)) return;
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
  }
  throw new Error(`${node} never took the group`);
}

async function household(): Promise<{ groupId: string; devices: readonly [Device, Device, Device] }> {
  fleet = await Fleet.start({ groupBoundSeconds: 1 });
  const alice = await fleet.join('alice');
  const bob = await fleet.join('bob');
  const carol = await fleet.join('carol');
  const { groupId } = await alice.group.create({ members: [bob.id, carol.id] });
  await agreed(groupId, [alice, bob, carol]);
  return { groupId, devices: [alice, bob, carol] };
}

test('CTL-2, GRP-11: the nodes that came deal with a group, also without those that were there before', async () => {
  const { groupId, devices } = await household();
  const [alice, bob, carol] = devices;
  await carol.close();

  await fleet.network.addNode('node-4');
  await untilAt('node-4', groupId);
  const { epoch } = await agreed(groupId, [alice, bob], (info) => info.epoch > 1);
  const at4 = [alice, bob].map((device) => () => (device.status().epochs['node-4'] ?? 0) > 0);
  await until(() => at4.every((is) => is()), 'the enrolments at node-4');

  await fleet.network.stopNode('node-1');
  await alice.group.rotate(groupId);
  const newer = await agreed(groupId, [alice, bob], (info) => info.epoch > epoch);
  const told = next(bob, 'groupMessage');
  await alice.group.send(groupId, utf8('still here'));
  expect(await told).toMatchObject({ groupId, epoch: newer.epoch });

  const back = await fleet.open('carol');
  await back.connect();
  await agreed(groupId, [alice, bob, back], (info) => info.epoch >= newer.epoch);
});

test('CTL-2, GRP-11: a node that is replaced takes the next epoch, and one that is removed is not missed', async () => {
  const { groupId, devices } = await household();
  await fleet.network.stopNode('node-3');
  await fleet.network.replaceNode('node-3');
  await untilAt('node-3', groupId);
  const { epoch } = await agreed(groupId, devices, (info) => info.epoch > 1);

  await fleet.network.addNode('node-4');
  await untilAt('node-4', groupId);
  const four = await agreed(groupId, devices, (info) => info.epoch > epoch);
  await fleet.network.removeNode('node-1');
  await agreed(groupId, devices, (info) => info.epoch > four.epoch);
  const [alice, bob, carol] = devices;
  await alice.group.remove(groupId, [carol.id]);
  expect(await agreed(groupId, [alice, bob])).toMatchObject({ members: 2 });
});
