import { toHex } from '@symmetra/crypto';
import type { GroupDevice, TestDeal, TestGroup } from '@symmetra/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GroupWorld, fingerprintOf } from './node-group-world.js';

const ROSTER = '/symmetra.group.v1.GroupService/GetRoster';
const MANY = 1200;

let world: GroupWorld;
let alice: GroupDevice;
let bob: GroupDevice;

beforeAll(async () => {
  world = await GroupWorld.start();
  const [first, second] = await world.members(2);
  if (!first || !second) throw new Error('two devices');
  [alice, bob] = [first, second];
});

afterAll(async () => {
  await world.stop();
});

/** The version of each row that a node keeps of a group's tree and roster. */
const versions = async (group: TestGroup): Promise<ReadonlyMap<string, number>> => {
  const store = world.network.store('node-1');
  const rows = [
    ...(await store.scan(`group-tree/${group.hex}`)),
    ...(await store.scan(`group-roster/${group.hex}`)),
  ];
  return new Map(rows.map(({ key, row }) => [key, row.version]));
};

/** Members hold an epoch as soon as k nodes do; the rows that are read here are those of one node. */
const inForce = async (group: TestGroup, { epochId }: TestDeal): Promise<void> => {
  const atNode = async (): Promise<string> => {
    const page = await alice.device.call('node-1', ROSTER, { groupId: group.groupId, from: 0 });
    return toHex(page.epochId);
  };
  await expect.poll(atNode, { timeout: 20_000 }).toBe(toHex(epochId));
};

const readRoster = async (group: TestGroup): Promise<readonly string[]> => {
  const members: string[] = [];
  let from = 0;
  do {
    const page = await alice.device.call('node-1', ROSTER, { groupId: group.groupId, from });
    members.push(...page.entries.map(({ device }) => toHex(device)));
    from = page.next;
  } while (from > 0);
  return members;
};

describe('a group of more than a thousand', () => {
  test('GRP-3, GRP-6: it is staged in parts, dealt at once, and a removal writes few rows', async () => {
    const phantoms = await world.phantoms(MANY);
    const group = await world.group([alice, bob]);
    await inForce(group, await world.deal(group, alice, { added: phantoms }));
    const before = await versions(group);
    await inForce(group, await world.deal(group, alice, { removed: phantoms.slice(600, 601) }));
    const after = await versions(group);
    const written = [...after].filter(([key, version]) => before.get(key) !== version);
    expect(before.size).toBeGreaterThan(150);
    expect(written.length).toBeGreaterThan(0);
    expect(written.length).toBeLessThanOrEqual(6);
    expect(fingerprintOf(bob, group)).toBe(fingerprintOf(alice, group));

    const members = await readRoster(group);
    expect(members).toHaveLength(MANY + 1);
    expect(members).toEqual(Array.from(group.roster.members(), ({ deviceId }) => toHex(deviceId)));
  });

  test('GRP-11: a node reads a roster of many pages back when it starts', async () => {
    const phantoms = await world.phantoms(200);
    const group = await world.group([alice, bob]);
    await world.deal(group, alice, { added: phantoms });
    await world.deal(group, alice, { removed: phantoms.slice(0, 100) });
    await world.network.stopNode('node-3');
    await world.network.reopenStore('node-3');
    await world.network.startNode('node-3');
    for (const { device } of [alice, bob]) {
      await device.openSession('node-3');
      await device.attach('node-3', 'node-1');
    }
    await world.deal(group, alice, { removed: phantoms.slice(150, 160) });
    expect(fingerprintOf(bob, group)).toBe(fingerprintOf(alice, group));
  });
});
