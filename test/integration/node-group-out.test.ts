import { SymmetraError, toHex } from '@symmetra/crypto';
import { DEFAULT_POLICY } from '@symmetra/protocol';
import type { GroupDevice } from '@symmetra/testing';
import { TestGroup } from '@symmetra/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GroupWorld } from './node-group-world.js';

const LEAVE = '/symmetra.group.v1.GroupService/Leave';
const RENEW = '/symmetra.group.v1.GroupService/Renew';
const ROSTER = '/symmetra.group.v1.GroupService/GetRoster';

let world: GroupWorld;

beforeAll(async () => {
  world = await GroupWorld.start();
});

afterAll(async () => {
  await world.stop();
});

const idOf = ({ device }: GroupDevice): string => toHex(device.deviceId);

const leaveEverywhere = async ({ device }: GroupDevice, { groupId }: TestGroup): Promise<void> => {
  for (const nodeId of world.nodeIds) await device.call(nodeId, LEAVE, { groupId });
};

/** The notice that a member believes, of the epoch in force. */
const believes = async (member: GroupDevice, group: TestGroup) =>
  member.until('a notice that k nodes signed', () => {
    const believed = member.outputs.findLast(
      ({ groupHex, output }) => groupHex === group.hex && output.kind === 'due',
    );
    return believed?.output.kind === 'due' && toHex(believed.output.due.epochId) === toHex(group.epochId)
      ? believed.output.due
      : undefined;
  });

describe('who is out', () => {
  test('GRP-10: a revoked device: its groups are suspended at once, the manager is told, and removes it', async () => {
    const [alice, bob, carol, dave] = await world.members(4);
    if (!alice || !bob || !carol || !dave) throw new Error('four devices');
    const group = await world.group([alice, bob, carol, dave], [alice, bob]);
    await world.network.administrator.submit({
      kind: 'device-revoke',
      deviceId: carol.device.deviceId,
      reason: 'stolen',
    });
    for (const member of [alice, bob, dave]) {
      const due = await believes(member, group);
      expect(due.reason).toBe('revoked');
      expect(due.out.map(toHex)).toEqual([idOf(carol)]);
    }
    expect((await believes(alice, group)).turn).toEqual({ place: 0, of: 2 });
    expect((await believes(bob, group)).turn).toEqual({ place: 1, of: 2 });
    expect((await believes(dave, group)).turn).toBeUndefined();
    carol.unplug();

    const staying = group.deal(alice.device);
    await expect(alice.send('node-1', staying)).rejects.toMatchObject({ code: 'MEMBER_REVOKED' });
    await world.deal(group, alice, { removed: [carol.device] });
    expect(carol.groups.get(group.hex)?.epochs.map(({ header }) => header.epoch)).toEqual([1]);
    const back = group.deal(alice.device, { added: [carol.device] });
    await expect(alice.send('node-1', back)).rejects.toMatchObject({ code: 'MEMBER_REVOKED' });
  });

  test('GRP-10: a suspension that a node could not store is tried again', async () => {
    const [alice, bob, carol] = await world.members(3);
    if (!alice || !bob || !carol) throw new Error('three devices');
    const group = await world.group([alice, bob, carol]);
    const store = world.network.store('node-2');
    const commit = store.commit.bind(store);
    let failures = 2;
    store.commit = async (changes) => {
      if (failures === 0 || !changes.some(({ key }) => key === `group/${group.hex}`)) return commit(changes);
      failures -= 1;
      throw new SymmetraError('STORE_FULL', 'there is no room left for the store');
    };
    await world.network.administrator.submit({
      kind: 'device-revoke',
      deviceId: carol.device.deviceId,
      reason: 'stolen',
    });
    await alice.told('due', ({ nodeId }) => nodeId === 'node-2');
    expect(failures).toBe(0);
    carol.unplug();
    await world.deal(group, alice, { removed: [carol.device] });
  });

  test('GRP-10: the last manager is revoked: members at the lowest places deal, and only remove', async () => {
    const [alice, bob, carol, dave] = await world.members(4);
    if (!alice || !bob || !carol || !dave) throw new Error('four devices');
    const group = await world.group([alice, bob, carol]);
    await world.network.administrator.submit({
      kind: 'device-revoke',
      deviceId: alice.device.deviceId,
      reason: 'stolen',
    });
    expect((await believes(carol, group)).turn).toEqual({ place: 1, of: 2 });
    alice.unplug();
    const managers = [bob, carol].map(({ device }) => device.deviceId);
    const adding = group.deal(bob.device, {
      removed: [alice.device],
      added: [dave.device],
      header: { managers },
    });
    await expect(bob.send('node-1', adding)).rejects.toMatchObject({ code: 'GROUP_NOT_MANAGER' });
    await world.deal(group, bob, { removed: [alice.device], header: { managers } });
    await world.deal(group, carol, { added: [dave.device] });
  });

  test('GRP-10: a member leaves, and may be added again once it was removed', async () => {
    const [alice, bob, carol] = await world.members(3);
    if (!alice || !bob || !carol) throw new Error('three devices');
    const group = await world.group([alice, bob, carol]);
    await leaveEverywhere(carol, group);
    await leaveEverywhere(carol, group);
    const due = await believes(bob, group);
    expect([due.reason, due.out.map(toHex)]).toEqual(['left', [idOf(carol)]]);
    const staying = group.deal(alice.device);
    await expect(alice.send('node-2', staying)).rejects.toMatchObject({ code: 'MEMBER_LEFT' });
    await world.deal(group, alice, { removed: [carol.device] });
    await expect(carol.device.call('node-1', LEAVE, { groupId: group.groupId })).rejects.toMatchObject({
      code: 'GROUP_NOT_MEMBER',
    });
    await world.deal(group, alice, { added: [carol.device] });
  });

  test('GRP-8, GRP-10: an epoch that is suspended is delivered to nobody; its manager is told when it attaches', async () => {
    const [alice, bob, carol] = await world.members(3);
    if (!alice || !bob || !carol) throw new Error('three devices');
    const group = await world.group([alice, bob, carol]);
    alice.unplug();
    await leaveEverywhere(carol, group);
    await believes(bob, group);
    alice.broadcasts.length = 0;
    const welcomes = alice.device.events.filter(({ groupWelcome }) => groupWelcome).length;
    await alice.device.connect('node-2');
    expect((await believes(alice, group)).turn).toEqual({ place: 0, of: 1 });
    expect(alice.device.events.filter(({ groupWelcome }) => groupWelcome)).toHaveLength(welcomes);
    await world.deal(group, alice, { removed: [carol.device] });
  });

  test('GRP-10: the dealing order is told also through a home that does not have the group', async () => {
    const [alice, bob, carol] = await world.members(3);
    if (!alice || !bob || !carol) throw new Error('three devices');
    const group = new TestGroup([alice.device]);
    const deal = group.deal(alice.device, { added: [alice, bob, carol].map(({ device }) => device) });
    const others = ['node-2', 'node-3'];
    await alice.sendAll(deal, others);
    group.settle(deal);
    for (const member of [alice, bob, carol]) await member.held(deal);
    for (const nodeId of others) {
      await carol.device.call(nodeId, LEAVE, { groupId: group.groupId });
    }
    expect((await believes(alice, group)).turn).toEqual({ place: 0, of: 1 });
  });

  test('GRP-10: everybody leaves: the group ends, its rows are erased, and its id is taken for ever', async () => {
    const [alice, bob] = await world.members(2);
    if (!alice || !bob) throw new Error('two devices');
    const group = await world.group([alice, bob]);
    await leaveEverywhere(bob, group);
    await leaveEverywhere(alice, group);
    for (const nodeId of world.nodeIds) {
      expect(await world.rows(nodeId, `group/${group.hex}`)).toHaveLength(1);
      expect(await world.rows(nodeId, `group-roster/${group.hex}`)).toEqual([]);
      expect(await world.rows(nodeId, `group-tree/${group.hex}`)).toEqual([]);
      expect(await world.rows(nodeId, `member/${idOf(alice)}`)).toEqual([]);
    }
    const gone = { code: 'GROUP_ENDED' };
    const { groupId } = group;
    await expect(alice.device.call('node-1', LEAVE, { groupId })).rejects.toMatchObject(gone);
    await expect(alice.device.call('node-1', ROSTER, { groupId, from: 0 })).rejects.toMatchObject(gone);
    const again = new TestGroup([alice.device]);
    const added = [alice.device, bob.device];
    const deal = again.deal(alice.device, { added, header: { groupId, epoch: 9 } });
    await expect(alice.send('node-1', deal)).rejects.toMatchObject(gone);
  });

  test('GRP-10: a member whose uses are over asks for another epoch, once in a while; nothing is suspended', async () => {
    const [alice, bob, carol] = await world.members(3);
    if (!alice || !bob || !carol) throw new Error('three devices');
    const group = await world.group([alice, bob, carol]);
    const { groupId, epochId } = group;
    const renew = async (nodeId: string) => bob.device.call(nodeId, RENEW, { groupId, epochId });
    for (const nodeId of world.nodeIds) await renew(nodeId);
    const due = await believes(alice, group);
    expect([due.reason, due.out]).toEqual(['used-up', []]);
    await expect(renew('node-1')).rejects.toMatchObject({ code: 'RATE_LIMITED' });
    await carol.device.call('node-1', RENEW, { groupId, epochId });
    const said = alice.broadcasts.filter(({ kind, nodeId }) => kind === 'due' && nodeId === 'node-1');
    expect(said).toHaveLength(1);
    await world.deal(group, alice);
    await expect(renew('node-1')).rejects.toMatchObject({ code: 'GROUP_EPOCH_OLD', details: { epoch: '2' } });
  });

  test('CTL-5: a policy that shrinks limits stops nothing that is in force', async () => {
    const [alice, bob, carol] = await world.members(3);
    if (!alice || !bob || !carol) throw new Error('three devices');
    bob.confirms = false;
    const group = await world.group([alice, bob, carol]);
    const { administrator } = world.network;
    await administrator.submit({ kind: 'policy', policy: { ...DEFAULT_POLICY, groupMembers: 2 } });
    const rotation = group.deal(alice.device);
    await expect(alice.send('node-1', rotation)).rejects.toMatchObject({ code: 'GROUP_TOO_LARGE' });
    bob.unplug();
    const before = bob.outputs.length;
    await bob.device.connect('node-3');
    await bob.until('a welcome of the epoch that it holds', () => bob.outputs[before]);
    await administrator.submit({ kind: 'policy', policy: DEFAULT_POLICY });
    await world.deal(group, alice);
  });
});
