import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { toHex, utf8 } from '@symmetra/crypto';
import type { Device } from '@symmetra/sdk';
import { Fleet, next, until } from './sdk-fleet.js';
import { agreed, seen } from './sdk-group-fleet.js';

describe('groups of real devices at real nodes', () => {
  let fleet: Fleet;
  let alice: Device;
  let bob: Device;
  let carol: Device;
  let dave: Device;

  beforeAll(async () => {
    fleet = await Fleet.start({ groupBoundSeconds: 2 });
    const names = ['alice', 'bob', 'carol', 'dave'];
    const devices = await Promise.all(names.map(async (name) => fleet.join(name)));
    [alice, bob, carol, dave] = devices as [Device, Device, Device, Device];
  });

  afterAll(async () => {
    await fleet.stop();
  });

  test('GRP-3, GRP-9: a new group has one key at all members, who are told', async () => {
    const told = [next(bob, 'group'), next(carol, 'group')];
    const info = await alice.group.create({ members: [bob.id, carol.id], purpose: 'feed', keyLength: 24 });
    expect(info).toMatchObject({ epoch: 1, members: 3, manager: true, purpose: 'feed', suspended: false });
    for (const other of await Promise.all(told)) {
      expect(other).toEqual({ ...info, manager: false, notAfter: other.notAfter });
    }
    expect(alice.group.key(info.groupId).bytes).toHaveLength(24);
    expect((await agreed(info.groupId, [alice, bob, carol])).accepted).toEqual([
      { epoch: 1, epochId: info.epochId },
    ]);
    expect(dave.group.list()).toEqual([]);
  });

  test('GRP-12: messages through the nodes, and by any other way, each once', async () => {
    const { groupId, epoch, epochId } = await alice.group.create({ members: [bob.id, carol.id] });
    await agreed(groupId, [alice, bob, carol]);
    const own = new Set<unknown>();
    alice.on('groupMessage', (message) => own.add(message));
    const told = [next(bob, 'groupMessage'), next(carol, 'groupMessage')];
    expect(await alice.group.send(groupId, utf8('to all'))).toMatchObject({ groupId, epoch, epochId });
    for (const message of await Promise.all(told)) {
      expect(message).toMatchObject({ groupId, epoch, epochId, sender: alice.id });
      expect(Buffer.from(message.plaintext).toString()).toBe('to all');
    }
    expect(own.size).toBe(0);

    const sealed = await bob.group.seal(groupId, utf8('by multicast'), utf8('port 7'));
    await expect(alice.group.open(sealed, utf8('port 8'))).rejects.toMatchObject({
      code: 'AUTHENTICATION_FAILED',
    });
    const opened = await alice.group.open(sealed, utf8('port 7'));
    expect(opened).toMatchObject({ groupId, epoch, epochId, sender: bob.id });
    expect(Buffer.from(opened.plaintext).toString()).toBe('by multicast');
    await expect(alice.group.open(sealed, utf8('port 7'))).rejects.toMatchObject({
      code: 'MESSAGE_REPLAYED',
    });
    await expect(dave.group.open(sealed, utf8('port 7'))).rejects.toMatchObject({ code: 'GROUP_UNKNOWN' });
    await expect(alice.group.open(utf8('no message'))).rejects.toMatchObject({ code: 'WRONG_VERSION' });
    await expect(alice.group.send(groupId, new Uint8Array(4090))).rejects.toMatchObject({
      code: 'MESSAGE_TOO_LARGE',
    });
  });

  test('GRP-6, GRP-9: who comes has no earlier key, who goes no later one, and three epochs overlap', async () => {
    const { groupId } = await alice.group.create({ members: [bob.id, carol.id] });
    await agreed(groupId, [alice, bob, carol]);
    const early = await alice.group.seal(groupId, utf8('before dave'));
    const first = toHex(alice.group.key(groupId).bytes);

    expect(await alice.group.add(groupId, [dave.id])).toMatchObject({ epoch: 2, members: 4 });
    const second = await agreed(groupId, [alice, bob, carol, dave]);
    expect(second.accepted.map(({ epoch }) => epoch)).toEqual([2, 1]);
    expect(dave.group.show(groupId).accepted.map(({ epoch }) => epoch)).toEqual([2]);
    expect((await bob.group.open(early)).epoch).toBe(1);
    await expect(dave.group.open(early)).rejects.toMatchObject({ code: 'GROUP_EPOCH_OLD' });
    expect(toHex(alice.group.key(groupId).bytes)).not.toBe(first);
    expect(toHex(alice.group.key(groupId, second.accepted[1]?.epochId).bytes)).toBe(first);

    const ended = next(carol, 'groupEnded');
    expect(await alice.group.remove(groupId, [carol.id])).toMatchObject({ epoch: 3, members: 3 });
    await agreed(groupId, [alice, bob, dave]);
    expect(await ended).toEqual({ groupId, reason: 'removed' });
    expect(() => carol.group.show(groupId)).toThrow(expect.objectContaining({ code: 'GROUP_UNKNOWN' }));
    const late = await alice.group.seal(groupId, utf8('without carol'));
    await expect(carol.group.open(late)).rejects.toMatchObject({ code: 'GROUP_UNKNOWN' });
    expect((await dave.group.open(late)).epoch).toBe(3);

    expect(await alice.group.rotate(groupId)).toMatchObject({ epoch: 4, members: 3 });
    await agreed(groupId, [alice, bob, dave]);
    await until(() => alice.group.show(groupId).accepted.length === 2, 'the removed epochs end');
    expect(() => alice.group.key(groupId, second.epochId)).toThrow(
      expect.objectContaining({ code: 'GROUP_EPOCH_UNKNOWN' }),
    );
    await alice.group.add(groupId, [carol.id]);
    await agreed(groupId, [alice, bob, carol, dave]);
  });

  test('GRP-10: a member that leaves is out without anybody asking', async () => {
    const { groupId } = await alice.group.create({ members: [bob.id, carol.id] });
    await agreed(groupId, [alice, bob, carol]);
    const due = next(alice, 'groupDue');
    const ended = next(carol, 'groupEnded');
    await carol.group.leave(groupId);
    expect(await ended).toEqual({ groupId, reason: 'left' });
    expect(await due).toMatchObject({ groupId, reason: 'left', out: [carol.id] });
    expect(await agreed(groupId, [alice, bob], ({ members }) => members === 2)).toMatchObject({ epoch: 2 });
    expect(seen(carol, groupId)).toBeUndefined();
    await expect(carol.group.leave(groupId)).rejects.toMatchObject({ code: 'GROUP_UNKNOWN' });
  });

  test('GRP-11: two managers that deal at once come to one epoch', async () => {
    const { groupId } = await alice.group.create({ members: [bob.id, carol.id], managers: [bob.id] });
    await agreed(groupId, [alice, bob, carol]);
    await Promise.all([
      alice.group.rotate(groupId),
      bob.group.rotate(groupId),
      alice.group.add(groupId, [dave.id]),
    ]);
    const info = await agreed(groupId, [alice, bob, carol, dave], ({ members }) => members === 4);
    expect(info.epoch).toBeGreaterThan(1);
  });

  test('bad input is refused by name', async () => {
    const { groupId } = await alice.group.create({ members: [bob.id] });
    await agreed(groupId, [alice, bob]);
    const stranger = 'a'.repeat(52);
    const unknown = '0'.repeat(32);
    const refused: readonly (readonly [code: string, ask: () => Promise<unknown>])[] = [
      ['GROUP_EMPTY', async () => alice.group.create({ members: [] })],
      ['GROUP_EMPTY', async () => alice.group.create({ members: [alice.id] })],
      ['MEMBER_TWICE', async () => alice.group.create({ members: [bob.id, bob.id] })],
      ['BAD_PEER', async () => alice.group.create({ members: ['bob'] })],
      ['MANAGER_NOT_MEMBER', async () => alice.group.create({ members: [bob.id], managers: [carol.id] })],
      ['BAD_OPTION', async () => alice.group.create({ members: [bob.id], purpose: '' })],
      ['BAD_OPTION', async () => alice.group.create({ members: [bob.id], keyLength: 8 })],
      ['BAD_OPTION', async () => alice.group.create({ members: [bob.id], rotateEvery: 0 })],
      ['BAD_OPTION', async () => alice.group.create({ members: [bob.id], uses: -1 })],
      ['MEMBER_NOT_ENROLLED', async () => alice.group.create({ members: [stranger] })],
      [
        'GROUP_LIMITS',
        async () => alice.group.create({ members: [bob.id], rotateEvery: 400 * 24 * 3_600_000 }),
      ],
      ['GROUP_UNKNOWN', async () => alice.group.add(unknown, [carol.id])],
      ['GROUP_UNKNOWN', async () => alice.group.rotate('no group')],
      ['GROUP_UNKNOWN', async () => alice.group.leave(unknown)],
      ['GROUP_UNKNOWN', async () => alice.group.send(unknown, utf8('lost'))],
      ['GROUP_EMPTY', async () => alice.group.add(groupId, [])],
      ['MEMBER_TWICE', async () => alice.group.add(groupId, [bob.id])],
      ['MEMBER_TWICE', async () => alice.group.add(groupId, [carol.id, carol.id])],
      ['MEMBER_NOT_ENROLLED', async () => alice.group.add(groupId, [stranger])],
      ['MEMBER_UNKNOWN', async () => alice.group.remove(groupId, [carol.id])],
      ['BAD_OPTION', async () => alice.group.remove(groupId, [alice.id])],
      ['GROUP_EMPTY', async () => alice.group.remove(groupId, [bob.id])],
      ['GROUP_NOT_MANAGER', async () => bob.group.rotate(groupId)],
      ['GROUP_NOT_MANAGER', async () => bob.group.remove(groupId, [alice.id])],
    ];
    for (const [code, ask] of refused) await expect(ask(), code).rejects.toMatchObject({ code });
    expect(alice.group.show(groupId)).toMatchObject({ epoch: 1, members: 2 });
  });
});
