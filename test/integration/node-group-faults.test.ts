import { Reader, concat, toHex } from '@symmetra/crypto';
import type { TestGroup } from '@symmetra/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GroupWorld, fingerprintOf } from './node-group-world.js';

let world: GroupWorld;

beforeAll(async () => {
  world = await GroupWorld.start();
});

afterAll(async () => {
  await world.stop();
});

const isPending = async (nodeId: string, group: TestGroup): Promise<boolean> =>
  (await world.rows(nodeId, `group-deal/${group.hex}`)).length > 0;

describe('a group while nodes and broadcasts are lost', () => {
  test('GRP-9: a broadcast that was withheld is made up for by a welcome', async () => {
    const [alice, bob, carol] = await world.members(3);
    if (!alice || !bob || !carol) throw new Error('three devices');
    const group = await world.group([alice, bob, carol]);
    bob.loses = ({ kind }) => kind === 'epoch';
    await world.deal(group, alice, { removed: [carol.device] });
    bob.loses = () => false;
    await world.deal(group, alice);
    expect(fingerprintOf(bob, group)).toBe(fingerprintOf(alice, group));
  });

  test('GRP-8: a member that was away gets the epoch in force when it attaches', async () => {
    const [alice, bob, carol] = await world.members(3);
    if (!alice || !bob || !carol) throw new Error('three devices');
    const group = await world.group([alice, bob, carol]);
    bob.unplug();
    await world.deal(group, alice);
    const last = await world.deal(group, alice);
    await bob.device.connect('node-1');
    await bob.held(last);
    await world.deal(group, alice, { removed: [carol.device] });
    expect(fingerprintOf(bob, group)).toBe(fingerprintOf(alice, group));
  });

  test.each<[what: string, order: readonly string[]]>([
    ['before the others have it, by the epoch that they stand by', ['node-3', 'node-1', 'node-2']],
    ['after the others, by their echoes', ['node-1', 'node-2', 'node-3']],
  ])('GRP-4, GRP-11: a node that was down takes the next deal %s', async (_what, order) => {
    const [alice, bob, carol, dave] = await world.members(4);
    if (!alice || !bob || !carol || !dave) throw new Error('four devices');
    const group = await world.group([alice, bob, carol]);
    await world.network.stopNode('node-3');
    for (const member of [alice, bob, carol, dave]) member.unplug();
    for (const member of [alice, bob, carol, dave]) {
      await member.device.connect('node-1', ['node-1', 'node-2']);
    }
    for (const request of [{ removed: [carol.device] }, { added: [dave.device] }]) {
      const deal = group.deal(alice.device, request);
      await alice.sendAll(deal, ['node-1', 'node-2']);
      group.settle(deal);
      for (const member of [alice, bob]) await member.held(deal);
    }
    await world.network.startNode('node-3');
    for (const member of [alice, bob, dave]) {
      await member.device.openSession('node-3');
      await member.device.attach('node-3', 'node-1');
    }

    const next = group.deal(alice.device);
    for (const nodeId of order) await alice.send(nodeId, next);
    group.settle(next);
    for (const member of [alice, bob, dave]) {
      await member.held(next);
      await member.until('the tree of node-3', () =>
        member.groups
          .get(group.hex)
          ?.paths.find(({ nodeId, epoch }) => nodeId === 'node-3' && epoch === group.epoch),
      );
    }
    await world.deal(group, alice, { removed: [bob.device] });
    expect(fingerprintOf(dave, group)).toBe(fingerprintOf(alice, group));
  });

  test('GRP-7, GRP-11: a node at which a member moved to another place welcomes it, and says no farewell', async () => {
    const [alice, bob, carol, dave] = await world.members(4);
    if (!alice || !bob || !carol || !dave) throw new Error('four devices');
    const group = await world.group([alice, bob, carol]);
    await world.network.stopNode('node-3');
    for (const member of [alice, bob, carol, dave]) member.unplug();
    for (const member of [alice, bob, carol, dave]) {
      await member.device.connect('node-1', ['node-1', 'node-2']);
    }
    for (const request of [
      { removed: [carol.device] },
      { added: [dave.device] },
      { added: [carol.device] },
    ]) {
      const deal = group.deal(alice.device, request);
      await alice.sendAll(deal, ['node-1', 'node-2']);
      group.settle(deal);
      await alice.held(deal);
    }
    await world.network.startNode('node-3');
    for (const member of [alice, carol]) {
      await member.device.openSession('node-3');
      await member.device.attach('node-3', 'node-1');
    }

    const next = group.deal(alice.device);
    for (const nodeId of ['node-1', 'node-2', 'node-3']) await alice.send(nodeId, next);
    group.settle(next);
    const path = await carol.until('the tree of node-3', () =>
      carol.groups
        .get(group.hex)
        ?.paths.find(({ nodeId, epoch }) => nodeId === 'node-3' && epoch === group.epoch),
    );
    expect(path.place).toBe(3);
    await carol.held(next);
    const said = alice.broadcasts.filter((one) => one.kind === 'epoch' && one.header.epoch === group.epoch);
    expect(said.map(({ nodeId }) => nodeId).toSorted()).toEqual(['node-1', 'node-2']);
  });

  test('GRP-11: a node that stops with a pending deal echoes it again when it starts', async () => {
    const [alice, bob] = await world.members(2);
    if (!alice || !bob) throw new Error('two devices');
    const group = await world.group([alice, bob]);
    const deal = group.deal(alice.device);
    const first = await alice.send('node-1', deal);
    expect([first.inForce, toHex(first.dealHash)]).toEqual([false, toHex(deal.dealHash)]);
    expect(await isPending('node-1', group)).toBe(true);
    await world.network.stopNode('node-1');
    await world.network.reopenStore('node-1');
    await alice.send('node-2', deal).catch((error: unknown) => error);
    for (const member of [alice, bob]) member.unplug();
    for (const member of [alice, bob]) await member.device.connect('node-2', ['node-2', 'node-3']);
    await alice.send('node-2', deal);
    await world.network.startNode('node-1');
    for (const member of [alice, bob]) {
      await member.device.openSession('node-1');
      await member.device.attach('node-1', 'node-2');
    }
    group.settle(deal);
    for (const member of [alice, bob]) await member.held(deal);
    expect(await isPending('node-1', group)).toBe(false);
    await world.deal(group, alice);
  });

  test('GRP-10: a revocation that a node heard of only as it started suspends its groups', async () => {
    const [alice, bob, carol] = await world.members(3);
    if (!alice || !bob || !carol) throw new Error('three devices');
    const group = await world.group([alice, bob, carol]);
    await world.network.stopNode('node-3');
    for (const member of [alice, bob]) member.unplug();
    for (const member of [alice, bob]) await member.device.connect('node-1', ['node-1', 'node-2']);
    await world.network.administrator.submit({
      kind: 'device-revoke',
      deviceId: carol.device.deviceId,
      reason: 'stolen',
    });
    carol.unplug();
    await world.network.startNode('node-3');
    await alice.device.openSession('node-3');
    await bob.device.openSession('node-3');
    const staying = group.deal(alice.device);
    await expect(alice.send('node-3', staying)).rejects.toMatchObject({ code: 'MEMBER_REVOKED' });
    await world.deal(group, alice, { removed: [carol.device] });
  });

  test('GRP-4, GRP-11: two dealers at once: one number has one header, and the next number goes on', async () => {
    const [alice, bob, carol] = await world.members(3);
    if (!alice || !bob || !carol) throw new Error('three devices');
    const group = await world.group([alice, bob, carol], [alice, bob]);
    const deals = [group.deal(alice.device), group.deal(bob.device)] as const;
    const outcomes = await Promise.allSettled(
      [alice, bob].flatMap((dealer, i) =>
        world.nodeIds.map(async (nodeId) => dealer.send(nodeId, deals[i] ?? deals[0])),
      ),
    );
    const refused = outcomes.filter(({ status }) => status === 'rejected');
    expect(refused).toHaveLength(3);
    for (const { reason } of refused as PromiseRejectedResult[]) {
      expect(['GROUP_CONFLICT', 'GROUP_EPOCH_OLD']).toContain((reason as { code: string }).code);
    }
    const next = group.deal(alice.device, { header: { epoch: 3 } });
    const behind = await Promise.allSettled(world.nodeIds.map(async (nodeId) => alice.send(nodeId, next)));
    const winner = deals.find(({ epochId }) =>
      [alice, bob, carol].some(({ groups }) =>
        groups.get(group.hex)?.epochs.some((epoch) => toHex(epoch.epochId) === toHex(epochId)),
      ),
    );
    if (winner === undefined) {
      expect(behind.every(({ status }) => status === 'fulfilled')).toBe(true);
      group.settle(next);
    } else group.settle(winner);
    await world.deal(group, alice, { header: { epoch: 4 } });
    const prints = [alice, bob, carol].map((member) => fingerprintOf(member, group));
    expect(new Set(prints).size).toBe(1);
  });

  test('GRP-5, GRP-11: a node names what it stands by, and then what it gave up for a higher deal', async () => {
    const [alice, bob] = await world.members(2);
    if (!alice || !bob) throw new Error('two devices');
    const group = await world.group([alice, bob]);
    const deals = [2, 3].map((epoch) => group.deal(alice.device, { header: { epoch } }));
    for (const deal of deals) await alice.send('node-1', deal);
    const asking = world.network.wire.join('asking');
    const question = concat(group.groupId, new Uint8Array(4));
    const said = new Reader(
      await asking.request('node-1', 'group-echo', question, { timeoutMs: 5000 }),
      'echo',
    );
    const named = (): readonly number[] =>
      said.list(10, (reader) => {
        const epoch = Number(reader.u64());
        reader.bytes();
        return epoch;
      });
    expect([named(), named()]).toEqual([[3, 1], [2]]);
    said.end();
    await asking.close();
  });

  test('GRP-5, GRP-7: what is no word between nodes is refused', async () => {
    const mallory = world.network.wire.join('mallory');
    const say = async (subject: string, payload: Uint8Array) =>
      mallory.request('node-1', subject, payload, { timeoutMs: 5000 });
    const group = new Uint8Array(16);
    const kind = (byte: number, length: number) => new Uint8Array(length).fill(byte, 0, 1);
    await expect(say('group-pass', kind(9, 17))).rejects.toMatchObject({ code: 'BAD_MESSAGE' });
    await expect(say('group-pass', kind(1, 18))).rejects.toMatchObject({ code: 'BAD_MESSAGE' });
    await expect(say('group-pass', kind(3, 34))).rejects.toMatchObject({ code: 'BAD_MESSAGE' });
    await expect(say('group-pass', kind(2, 60_000))).rejects.toMatchObject({ code: 'BAD_MESSAGE' });
    await expect(say('group-echo', group)).rejects.toMatchObject({ code: 'BAD_ENCODING' });
    await expect(say('group-roster', kind(1, 48))).rejects.toMatchObject({ code: 'GROUP_UNKNOWN' });
    const nothing = new Uint8Array(4);
    expect(await say('group-echo', concat(group, nothing))).toEqual(nothing);
    await mallory.close();
  });
});
