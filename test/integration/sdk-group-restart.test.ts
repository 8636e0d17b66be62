import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { utf8 } from '@symmetra/crypto';
import type { Device } from '@symmetra/sdk';
import { Fleet, next, until } from './sdk-fleet.js';
import { agreed } from './sdk-group-fleet.js';

describe('groups over restarts and failures', () => {
  let fleet: Fleet;
  let alice: Device;
  let bob: Device;
  let carol: Device;

  beforeEach(async () => {
    fleet = await Fleet.start({ groupBoundSeconds: 2 });
    const devices = await Promise.all(['alice', 'bob', 'carol'].map(async (name) => fleet.join(name)));
    [alice, bob, carol] = devices as [Device, Device, Device];
  });

  afterEach(async () => {
    await fleet.stop();
  });

  const reopen = async (device: Device): Promise<Device> => {
    await device.close();
    const back = await fleet.open(device.name);
    await back.connect();
    return back;
  };

  test('GRP-3: a deal that is under way when its dealer ends goes on with the next process', async () => {
    const { groupId, epochId } = await alice.group.create({ members: [bob.id, carol.id] });
    await agreed(groupId, [alice, bob, carol]);
    await fleet.network.stopNode('node-2');
    await fleet.network.stopNode('node-3');
    const before = fleet.network.log.filter(isDeal).length;
    const removing = alice.group.remove(groupId, [carol.id]);
    const failed = removing.catch((error: unknown) => error);
    await until(() => fleet.network.log.filter(isDeal).length > before, 'one node took the deal');
    await alice.close();
    expect(await failed).toMatchObject({ code: 'DEVICE_CLOSED' });
    await Promise.all(['node-2', 'node-3'].map(async (id) => fleet.network.startNode(id)));
    const back = await fleet.open('alice');
    await back.connect();
    const info = await agreed(groupId, [back, bob], ({ members }) => members === 2);
    expect(info.epochId).not.toBe(epochId);
  });

  test('GRP-9: a member that was away catches up over the epochs that it missed', async () => {
    const { groupId } = await alice.group.create({ members: [bob.id, carol.id] });
    await agreed(groupId, [alice, bob, carol]);
    await carol.close();
    for (let i = 0; i < 4; i++) await alice.group.rotate(groupId);
    await agreed(groupId, [alice, bob]);
    const back = await fleet.open('carol');
    expect(back.group.show(groupId)).toMatchObject({ epoch: 1 });
    await back.connect();
    await agreed(groupId, [alice, bob, back], ({ epoch }) => epoch === 5);
    await alice.group.rotate(groupId);
    await agreed(groupId, [alice, bob, back], ({ epoch }) => epoch === 6);
  });

  test('GRP-9: a member that was removed while it was away gets nothing more', async () => {
    const { groupId } = await alice.group.create({ members: [bob.id, carol.id] });
    await agreed(groupId, [alice, bob, carol]);
    await carol.close();
    await alice.group.remove(groupId, [carol.id]);
    const back = await fleet.open('carol');
    await back.connect();
    const sealed = await alice.group.seal(groupId, utf8('not for carol'));
    await expect(back.group.open(sealed)).rejects.toMatchObject({ code: 'GROUP_EPOCH_UNKNOWN' });
  });

  test('GRP-12: no counter is used twice, and no message is taken twice, over restarts', async () => {
    const { groupId } = await alice.group.create({ members: [bob.id, carol.id] });
    await agreed(groupId, [alice, bob, carol]);
    const first = await alice.group.seal(groupId, utf8('first'));
    await bob.group.open(first);
    const again = await reopen(alice);
    const second = await again.group.seal(groupId, utf8('second'));
    const back = await reopen(bob);
    await expect(back.group.open(first)).rejects.toMatchObject({ code: 'MESSAGE_REPLAYED' });
    expect(Buffer.from((await back.group.open(second)).plaintext).toString()).toBe('second');
    await expect(back.group.open(second)).rejects.toMatchObject({ code: 'MESSAGE_REPLAYED' });
    expect(Buffer.from((await carol.group.open(second)).plaintext).toString()).toBe('second');
  });

  test('GRP-11: a node that is down holds nothing up, and takes the next epoch when it is back', async () => {
    await fleet.network.stopNode('node-3');
    const { groupId } = await alice.group.create({ members: [bob.id, carol.id] });
    await agreed(groupId, [alice, bob, carol]);
    await alice.group.rotate(groupId);
    await fleet.network.startNode('node-3');
    await alice.group.rotate(groupId);
    await agreed(groupId, [alice, bob, carol], ({ epoch }) => epoch === 3);
    await until(() => fleet.network.log.some(isBack), 'the node takes the epoch');
    await fleet.network.stopNode('node-1');
    expect(await alice.group.rotate(groupId)).toMatchObject({ epoch: 4 });
    await agreed(groupId, [alice, bob, carol], ({ epoch }) => epoch === 4);
  });

  test('GRP-12: a message that overtakes its epoch is told when the epoch is there', async () => {
    const { groupId } = await alice.group.create({ members: [bob.id, carol.id] });
    await agreed(groupId, [alice, bob, carol]);
    for (let i = 0; i < 5; i++) {
      const told = next(bob, 'groupMessage');
      const { epoch } = await alice.group.rotate(groupId);
      await alice.group.send(groupId, utf8(`epoch ${epoch}`));
      expect(await told).toMatchObject({ epoch });
    }
  });
});

function isDeal({ method, code }: { readonly method?: string; readonly code?: string }): boolean {
  return method === '/symmetra.group.v1.GroupService/Deal' && code === 'OK';
}

function isBack({ node, message }: { readonly node?: string; readonly message: string }): boolean {
  return node === 'node-3' && message === 'An epoch of a group came into force.';
}
