import { toHex } from '@symmetra/crypto';
import { SenderWindows, openGroupMessage, sealGroupMessage } from '@symmetra/protocol';
import type { GroupDevice, TestGroup } from '@symmetra/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GroupWorld, fingerprintOf } from './node-group-world.js';

const SEND = '/symmetra.group.v1.GroupService/Send';
const LEAVE = '/symmetra.group.v1.GroupService/Leave';
const ROSTER = '/symmetra.group.v1.GroupService/GetRoster';

let world: GroupWorld;

beforeAll(async () => {
  world = await GroupWorld.start();
});

afterAll(async () => {
  await world.stop();
});

const sameKey = (members: readonly GroupDevice[], group: TestGroup): void => {
  const prints = new Set(members.map((member) => fingerprintOf(member, group)));
  expect(prints.size).toBe(1);
  expect([...prints][0]).toContain(toHex(group.epochId));
};

describe('a group from its creation on', () => {
  test('GRP-5 to GRP-9: creation, joining, rotation, removal: all members hold one key, and nobody else', async () => {
    const [alice, bob, carol, dave, erin] = await world.members(5);
    if (!alice || !bob || !carol || !dave || !erin) throw new Error('five devices');
    const group = await world.group([alice, bob, carol, dave]);
    sameKey([alice, bob, carol, dave], group);
    expect(erin.groups.size).toBe(0);

    await world.deal(group, alice, { added: [erin.device] });
    sameKey([alice, bob, carol, dave, erin], group);
    await world.deal(group, alice);
    sameKey([alice, bob, carol, dave, erin], group);
    expect(erin.groups.get(group.hex)?.epochs.map(({ header }) => header.epoch)).toEqual([3, 2]);

    await world.deal(group, alice, { removed: [carol.device] });
    sameKey([alice, bob, dave, erin], group);
    await carol.until('the farewell', () => carol.outputs.find(({ output }) => output.kind === 'out'));
    expect(carol.groups.size).toBe(0);
    await world.deal(group, alice);
    sameKey([alice, bob, dave, erin], group);
    expect([alice, bob, carol, dave, erin].flatMap(({ refusals }) => refusals)).toEqual([]);
  });

  test('GRP-6: under another suite the trees are made anew, and everybody is welcomed', async () => {
    const [alice, bob, carol] = await world.members(3);
    if (!alice || !bob || !carol) throw new Error('three devices');
    const group = await world.group([alice, bob, carol]);
    const welcomes = (): number => bob.device.events.filter(({ groupWelcome }) => groupWelcome).length;
    const before = await bob.until('three welcomes', () => (welcomes() >= 3 ? welcomes() : undefined));
    await world.deal(group, alice);
    await world.deal(group, alice, { header: { suiteId: 2 } });
    await bob.until('three more', () => (welcomes() === before + 3 ? true : undefined));
    await world.deal(group, alice, { removed: [carol.device], header: { suiteId: 2 } });
    sameKey([alice, bob], group);
    expect(welcomes()).toBe(before + 3);
  });

  test('GRP-7: who stays needs one broadcast of each node, no welcome', async () => {
    const [alice, bob, carol] = await world.members(3);
    if (!alice || !bob || !carol) throw new Error('three devices');
    const group = await world.group([alice, bob, carol]);
    const welcomes = (): number => bob.device.events.filter(({ groupWelcome }) => groupWelcome).length;
    const before = await bob.until('three welcomes', () => (welcomes() >= 3 ? welcomes() : undefined));
    await world.deal(group, alice, { removed: [carol.device] });
    await bob.until('three broadcasts', () => (bob.broadcasts.length >= 3 ? true : undefined));
    const nodes = bob.broadcasts.map(({ nodeId }) => nodeId);
    expect(nodes.toSorted((a, b) => a.localeCompare(b))).toEqual(world.nodeIds);
    expect(welcomes()).toBe(before);
  });

  test('GRP-2: a member reads the roster, with who confirmed', async () => {
    const [alice, bob, carol] = await world.members(3);
    if (!alice || !bob || !carol) throw new Error('three devices');
    carol.confirms = false;
    const group = await world.group([alice, bob, carol]);
    const read = async () => alice.device.call('node-1', ROSTER, { groupId: group.groupId, from: 0 });
    let page = await read();
    for (let i = 0; i < 1000 && page.entries.filter(({ confirmed }) => confirmed).length < 2; i++) {
      page = await read();
    }
    expect(page.epochId.equals(group.epochId)).toBe(true);
    expect(page.next).toBe(0);
    expect(page.entries.map(({ place, confirmed }) => [place, confirmed])).toEqual([
      [0, true],
      [1, true],
      [2, false],
    ]);
    expect(page.entries.map(({ device }) => toHex(device))).toEqual(
      [alice, bob, carol].map(({ device }) => toHex(device.deviceId)),
    );
    const [mallory] = await world.members(1);
    await expect(
      mallory?.device.call('node-1', ROSTER, { groupId: group.groupId, from: 0 }),
    ).rejects.toMatchObject({ code: 'GROUP_NOT_MEMBER' });
  });

  test('GRP-12: a message goes to all members but its sender, through their homes', async () => {
    const [alice, bob, carol] = await world.members(3);
    if (!alice || !bob || !carol) throw new Error('three devices');
    const group = await world.group([alice, bob, carol]);
    // A home that does not have the epoch in force yet passes nothing on.
    const [epoch] = await alice.until('the tree of every node', () => {
      const { epochs, paths } = alice.groups.get(group.hex) ?? { epochs: [], paths: [] };
      return paths.length === world.nodeIds.length ? epochs : undefined;
    });
    if (epoch === undefined) throw new Error('alice holds an epoch');
    const from = { sender: alice.device.deviceId, counter: 0, guard: new Uint8Array(4) };
    const none = new Uint8Array(0);
    const hello = new TextEncoder().encode('hello');
    const message = sealGroupMessage(alice.device.context, epoch, from, none, hello);
    await alice.device.call('node-1', SEND, { message });
    for (const member of [bob, carol]) {
      const received = await member.until('the message', () => member.messages[0]);
      const epochs = member.groups.get(group.hex)?.epochs ?? [];
      const opened = openGroupMessage(
        member.device.context,
        epochs,
        () => new SenderWindows(4),
        received,
        none,
      );
      expect(opened.plaintext).toEqual(hello);
    }
    expect(alice.messages).toEqual([]);
    for (const nodeId of world.nodeIds) await carol.device.call(nodeId, LEAVE, { groupId: group.groupId });
    await alice.device.call('node-1', SEND, { message });
    await bob.until('the message again', () => bob.messages[1]);
    expect(carol.messages).toHaveLength(1);
    await expect(alice.device.call('node-2', SEND, { message })).rejects.toMatchObject({ code: 'NOT_HOME' });
    await expect(bob.device.call('node-2', SEND, { message })).rejects.toMatchObject({ code: 'BAD_MESSAGE' });
    const long = new Uint8Array(4097);
    await expect(alice.device.call('node-1', SEND, { message: long })).rejects.toMatchObject({
      code: 'BAD_MESSAGE',
    });
  });
});
