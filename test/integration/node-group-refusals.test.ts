import type { GroupRequest } from '@symmetra/protocol';
import { DEFAULT_POLICY } from '@symmetra/protocol';
import { TestDevice, TestGroup, fresh } from '@symmetra/testing';
import type { GroupDevice, TestDeal } from '@symmetra/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GroupWorld } from './node-group-world.js';

const STAGE = '/symmetra.group.v1.GroupService/Stage';
const DEAL = '/symmetra.group.v1.GroupService/Deal';
const CONFIRM = '/symmetra.group.v1.GroupService/Confirm';
const LEAVE = '/symmetra.group.v1.GroupService/Leave';
const ROSTER = '/symmetra.group.v1.GroupService/GetRoster';
const NODE = 'node-1';

let world: GroupWorld;
let alice: GroupDevice;
let bob: GroupDevice;
let carol: GroupDevice;
let dave: TestDevice;

beforeAll(async () => {
  const maximum = { lifetimeSeconds: 3600, uses: 0 };
  world = await GroupWorld.start({ purposes: ['test'], allowedSuites: [1], groupMembers: 4, maximum });
  const [first, second, third] = await world.members(3);
  const [stranger] = await world.strangers(1);
  if (!first || !second || !third || !stranger) throw new Error('four devices');
  [alice, bob, carol, dave] = [first, second, third, stranger];
});

afterAll(async () => {
  dave.close();
  await world.stop();
});

/** The code with which the node refuses a deal. */
const refusal = async (deal: TestDeal, dealer = alice): Promise<string> => {
  try {
    await dealer.send(NODE, deal);
    return 'approved';
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
};

/** The first epoch of a group of Alice, Bob and Carol, with some fields changed. */
const first = (header: Partial<GroupRequest> = {}): TestDeal =>
  new TestGroup([alice.device]).deal(alice.device, {
    added: [alice, bob, carol].map((m) => m.device),
    header,
  });

describe('GRP-4: a node refuses', () => {
  test.each<[code: string, header: () => Partial<GroupRequest>]>([
    ['BELOW_FLOOR', () => ({ nodes: ['node-1', 'node-2'] })],
    ['NOT_IN_NODE_SET', () => ({ nodes: ['node-2', 'node-3'] })],
    ['DEALER_MISMATCH', () => ({ dealer: bob.device.deviceId })],
    ['DESCRIPTOR_OLD', () => ({ descriptorVersion: 0 })],
    ['SUITE_FORBIDDEN', () => ({ suiteId: 2 })],
    ['PURPOSE_FORBIDDEN', () => ({ purpose: 'other' })],
    ['GROUP_LIMITS', () => ({ limits: { lifetimeSeconds: 3601, uses: 0 } })],
    ['GROUP_TOO_LARGE', () => ({ members: 5, height: 3 })],
    ['GROUP_UNKNOWN', () => ({ epoch: 2, previous: fresh(32) })],
    ['GROUP_CONFLICT', () => ({ epoch: 65_537 })],
    ['GROUP_NOT_MANAGER', () => ({ managers: [bob.device.deviceId] })],
    ['MANAGER_NOT_MEMBER', () => ({ managers: [alice.device.deviceId, dave.deviceId] })],
    ['ROSTER_MISMATCH', () => ({ rosterRoot: fresh(32) })],
    ['ROSTER_MISMATCH', () => ({ height: 3 })],
    ['ROSTER_MISMATCH', () => ({ members: 4 })],
  ])('%s: a header that says otherwise', async (code, header) => {
    expect(await refusal(first(header()))).toBe(code);
  });

  test('BAD_HEADER, BAD_ENCODING: what is no header, or has a tag that its suite does not make', async () => {
    const deal = first();
    // Version, network id, suite, group id, then the epoch: it counts from 1.
    const header = Uint8Array.from(deal.header).fill(0, 34, 42);
    expect(await refusal({ ...deal, header })).toBe('BAD_HEADER');
    expect(await refusal({ ...deal, header: deal.header.subarray(0, 100) })).toBe('BAD_ENCODING');
    expect(await refusal({ ...deal, tag: fresh(31) })).toBe('BAD_HEADER');
  });

  test('SHARE_MISMATCH: a share that is not the one committed to', async () => {
    const deal = first();
    const { shares } = first();
    expect(await refusal({ ...deal, shares })).toBe('SHARE_MISMATCH');
  });

  test('GROUP_EMPTY, DEALER_NOT_MEMBER: one member, or none that deals', async () => {
    const group = new TestGroup([alice.device]);
    expect(await refusal(group.deal(alice.device, { added: [alice.device] }))).toBe('GROUP_EMPTY');
    expect(await refusal(group.deal(alice.device, { added: [bob.device, carol.device] }))).toBe(
      'DEALER_NOT_MEMBER',
    );
  });

  test('MEMBER_TWICE, MEMBER_NOT_ENROLLED, STAGE_TOO_EARLY, MEMBER_REVOKED: who can not be added', async () => {
    const deal = first();
    const added = [...deal.added, bob.device.deviceId];
    expect(await refusal({ ...deal, added })).toBe('MEMBER_TWICE');
    const unknown = [...deal.added, fresh(32)];
    expect(await refusal({ ...deal, added: unknown })).toBe('MEMBER_NOT_ENROLLED');

    const token = await world.network.administrator.createToken({ uses: 1 });
    const newcomer = await TestDevice.meet(token);
    await newcomer.enrolAt(NODE);
    const early = [...deal.added, newcomer.deviceId];
    expect(await refusal({ ...deal, added: early })).toBe('STAGE_TOO_EARLY');

    const [mallory] = await world.strangers(1);
    if (mallory === undefined) throw new Error('a device');
    const { administrator } = world.network;
    await administrator.submit({ kind: 'device-revoke', deviceId: mallory.deviceId, reason: 'stolen' });
    const revoked = [...deal.added, mallory.deviceId];
    expect(await refusal({ ...deal, added: revoked })).toBe('MEMBER_REVOKED');
    newcomer.close();
    mallory.close();
  });

  test('GROUP_EXISTS, GROUP_EPOCH_OLD, GROUP_CONFLICT, GROUP_BEHIND: what does not follow the epoch in force', async () => {
    const group = await world.group([alice, bob, carol]);
    const { groupId } = group;
    expect(await refusal(first({ groupId, epoch: 2 }))).toBe('GROUP_EXISTS');
    expect(await refusal(first({ groupId }))).toBe('GROUP_EPOCH_OLD');
    expect(await refusal(group.deal(alice.device, { header: { previous: fresh(32) } }))).toBe('GROUP_BEHIND');
    const deal = group.deal(alice.device);
    await alice.send(NODE, deal);
    expect((await alice.send(NODE, deal)).inForce).toBe(false);
    const other = group.deal(alice.device);
    await expect(alice.send(NODE, other)).rejects.toMatchObject({
      code: 'GROUP_CONFLICT',
      details: { epoch: '2' },
    });
    await alice.sendAll(deal);
    await carol.held(deal);
  });

  test('GROUP_NOT_MANAGER, MEMBER_UNKNOWN, MEMBER_TWICE, BAD_BARRIER: who may change what', async () => {
    const group = await world.group([alice, bob, carol]);
    expect(await refusal(group.deal(bob.device), bob)).toBe('GROUP_NOT_MANAGER');
    const rotation = group.deal(alice.device);
    expect(await refusal({ ...rotation, removed: [dave.deviceId] })).toBe('MEMBER_UNKNOWN');
    const twice = [bob.device.deviceId, bob.device.deviceId];
    expect(await refusal({ ...rotation, removed: twice })).toBe('MEMBER_UNKNOWN');
    expect(await refusal({ ...rotation, added: [carol.device.deviceId] })).toBe('MEMBER_TWICE');
    expect(await refusal(group.deal(alice.device, { header: { barrier: 1 } }))).toBe('BAD_BARRIER');
    expect(await refusal(group.deal(alice.device, { removed: [carol.device], header: { barrier: 0 } }))).toBe(
      'BAD_BARRIER',
    );
    expect(await refusal(group.deal(alice.device, { removed: [bob.device, carol.device] }))).toBe(
      'GROUP_EMPTY',
    );
  });

  test('CTL-5: what policy forbids from one event to the next', async () => {
    const { administrator } = world.network;
    const deal = first();
    await administrator.submit({ kind: 'policy', policy: { ...DEFAULT_POLICY, groupMembers: 0 } });
    expect(await refusal(deal)).toBe('GROUP_TOO_LARGE');
    await administrator.submit({ kind: 'policy', policy: { ...DEFAULT_POLICY, groupMembers: 4 } });
    expect(await refusal(deal)).toBe('approved');
  });
});

describe('other calls of members are refused', () => {
  test('GRP-3: parts of a roster out of order, too long, or not staged at all', async () => {
    const groupId = fresh(16);
    const stage = async (offset: number, members: Uint8Array) =>
      alice.device.call(NODE, STAGE, { groupId, epoch: 1, offset, members });
    expect((await stage(0, fresh(64))).staged).toBe(2);
    expect((await stage(2, fresh(32))).staged).toBe(3);
    expect((await stage(0, fresh(32))).staged).toBe(1);
    await expect(stage(2, fresh(32))).rejects.toMatchObject({ code: 'STAGE_OUT_OF_ORDER' });
    await expect(stage(1, fresh(33))).rejects.toMatchObject({ code: 'BAD_MESSAGE' });
    await expect(stage(1, fresh(32 * 1001))).rejects.toMatchObject({ code: 'BAD_MESSAGE' });
    const { header, tag, shares } = first();
    const share = shares[0]?.bytes ?? fresh(32);
    const request = { header, tag, share, removed: fresh(0), added: fresh(0), staged: 3 };
    await expect(alice.device.call(NODE, DEAL, request)).rejects.toMatchObject({
      code: 'STAGE_OUT_OF_ORDER',
      details: { staged: '1' },
    });
  });

  test('GROUP_UNKNOWN, GROUP_NOT_MEMBER, BAD_MESSAGE: of groups that are not theirs', async () => {
    const group = await world.group([alice, bob]);
    const call = async (groupId: Uint8Array, caller = carol) =>
      Promise.allSettled([
        caller.device.call(NODE, LEAVE, { groupId }),
        caller.device.call(NODE, CONFIRM, { groupId, epochId: group.epochId }),
        caller.device.call(NODE, ROSTER, { groupId, from: 0 }),
      ]);
    const expected = (code: string) =>
      Array.from({ length: 3 }, () => ({ status: 'rejected', reason: { code } }));
    expect(await call(group.groupId)).toMatchObject(expected('GROUP_NOT_MEMBER'));
    expect(await call(fresh(16))).toMatchObject(expected('GROUP_UNKNOWN'));
    expect(await call(fresh(15))).toMatchObject(expected('BAD_MESSAGE'));
  });
});
