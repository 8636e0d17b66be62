import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fromBase32, utf8 } from '@symmetra/crypto';
import type { Device } from '@symmetra/sdk';
import { Fleet, next, until } from './sdk-fleet.js';
import { agreed, seen } from './sdk-group-fleet.js';

describe('GRP-10: who is out, and who deals', () => {
  let fleet: Fleet;
  let alice: Device;
  let bob: Device;
  let carol: Device;
  let dave: Device;

  beforeEach(async () => {
    fleet = await Fleet.start({ groupBoundSeconds: 2 });
    const names = ['alice', 'bob', 'carol', 'dave'];
    const devices = await Promise.all(names.map(async (name) => fleet.join(name)));
    [alice, bob, carol, dave] = devices as [Device, Device, Device, Device];
  });

  afterEach(async () => {
    await fleet.stop();
  });

  const revoke = async (device: Device): Promise<unknown> =>
    fleet.network.administrator.submit({
      kind: 'device-revoke',
      deviceId: fromBase32(device.id),
      reason: 'stolen',
    });

  test('a revoked device is out of every group', async () => {
    const groups = [
      await alice.group.create({ members: [bob.id, carol.id] }),
      await bob.group.create({ members: [alice.id, carol.id] }),
    ];
    for (const { groupId } of groups) await agreed(groupId, [alice, bob, carol]);
    const told = next(alice, 'groupDue');
    await revoke(carol);
    expect(await told).toMatchObject({ reason: 'revoked', out: [carol.id] });
    for (const { groupId } of groups) {
      expect(await agreed(groupId, [alice, bob], ({ members }) => members === 2)).toMatchObject({
        epoch: 2,
        suspended: false,
      });
    }
    const { groupId } = groups[0] as { groupId: string };
    await expect(alice.group.add(groupId, [carol.id])).rejects.toMatchObject({ code: 'MEMBER_REVOKED' });
    expect(alice.group.show(groupId)).toMatchObject({ epoch: 2 });
  });

  test('the next manager takes over when the first one is gone', async () => {
    const { groupId } = await alice.group.create({
      members: [bob.id, carol.id, dave.id],
      managers: [alice.id, bob.id],
    });
    await agreed(groupId, [alice, bob, carol, dave]);
    await alice.close();
    await revoke(dave);
    expect(await agreed(groupId, [bob, carol], ({ members }) => members === 3)).toMatchObject({ epoch: 2 });
    const back = await fleet.open('alice');
    await back.connect();
    await agreed(groupId, [back, bob, carol], ({ epoch }) => epoch === 2);
    expect(await back.group.rotate(groupId)).toMatchObject({ epoch: 3 });
  });

  test('members at the lowest places take over when no manager is left, and manage from then on', async () => {
    const { groupId } = await alice.group.create({ members: [bob.id, carol.id, dave.id] });
    await agreed(groupId, [alice, bob, carol, dave]);
    await alice.group.leave(groupId);
    const info = await agreed(groupId, [bob, carol, dave], ({ members }) => members === 3);
    expect(info.manager).toBe(true);
    // On a slow machine two of the three may have dealt.
    const rotated = await carol.group.rotate(groupId);
    expect(rotated.epoch).toBeGreaterThan(info.epoch);
    expect(rotated.members).toBe(3);
  });

  test('nothing is sent while somebody is out and nobody deals, for a bounded time', async () => {
    const { groupId } = await alice.group.create({ members: [bob.id, carol.id] });
    await agreed(groupId, [alice, bob, carol]);
    await alice.close();
    await carol.group.leave(groupId);
    await until(() => seen(bob, groupId)?.suspended === true, 'the epoch is held up');
    await expect(bob.group.send(groupId, utf8('held up'))).rejects.toMatchObject({
      code: 'GROUP_SUSPENDED',
    });
    await until(() => seen(bob, groupId)?.suspended === false, 'the hold ends');
    expect(await bob.group.send(groupId, utf8('at last'))).toMatchObject({ epoch: 1 });
    const back = await fleet.open('alice');
    await back.connect();
    expect(await agreed(groupId, [back, bob], ({ members }) => members === 2)).toMatchObject({ epoch: 2 });
  });

  test('the last one that stays keeps the group, and takes others in again', async () => {
    const { groupId } = await alice.group.create({ members: [bob.id] });
    await agreed(groupId, [alice, bob]);
    await bob.group.leave(groupId);
    await until(() => seen(alice, groupId)?.members === 1, 'a group of one');
    expect(await alice.group.add(groupId, [carol.id])).toMatchObject({ epoch: 3, members: 2 });
    await agreed(groupId, [alice, carol]);
  });

  test('used up: another epoch follows before the messages end, and when they have', async () => {
    const { groupId } = await alice.group.create({
      members: [bob.id, carol.id],
      uses: 8,
      rotateEvery: 60_000,
    });
    await agreed(groupId, [alice, bob, carol]);
    for (let i = 0; i < 4; i++) await bob.group.send(groupId, utf8(`message ${i}`));
    await agreed(groupId, [alice, bob, carol], ({ epoch }) => epoch === 2);
    await alice.close();
    for (let i = 0; i < 8; i++) await bob.group.seal(groupId, utf8(`message ${i}`));
    await expect(bob.group.seal(groupId, utf8('one more'))).rejects.toMatchObject({
      code: 'GROUP_USED_UP',
    });
    const back = await fleet.open('alice');
    await back.connect();
    // A node heeds a request for another epoch from time to time only.
    await until(() => {
      bob.group.seal(groupId, utf8('again')).catch(() => undefined);
      return seen(bob, groupId)?.epoch === 3;
    }, 'another epoch');
    await agreed(groupId, [back, bob, carol], ({ epoch }) => epoch === 3);
  });

  test('on time: a group rotates by itself', async () => {
    const { groupId } = await alice.group.create({ members: [bob.id], rotateEvery: 2000 });
    await agreed(groupId, [alice, bob], ({ epoch }) => epoch >= 3);
    expect(seen(bob, groupId)?.accepted.length).toBeGreaterThan(1);
  });
});
