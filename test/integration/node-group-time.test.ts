import { systemClock } from '@symmetra/runtime';
import type { Clock } from '@symmetra/runtime';
import { ManualClock } from '@symmetra/testing';
import type { GroupDevice, TestGroup } from '@symmetra/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { StagedRosters } from '../../packages/node/src/group/staged-rosters.js';
import { GroupWorld, fingerprintOf } from './node-group-world.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

let world: GroupWorld;
/** What the nodes' wall clock is ahead by, milliseconds. */
let ahead = 0;

/** The machine's clock, but that what the nodes do each minute comes after a moment. */
const clock: Clock = {
  now: () => systemClock.now() + ahead,
  monotonic: () => systemClock.monotonic(),
  setTimer: (ms, callback) => systemClock.setTimer(ms === MINUTE_MS ? 20 : ms, callback),
};

beforeAll(async () => {
  world = await GroupWorld.start({}, clock);
});

afterAll(async () => {
  await world.stop();
});

const treeVersions = async (nodeId: string, { hex }: TestGroup): Promise<readonly number[]> => {
  const rows = await world.network.store(nodeId).scan(`group-tree/${hex}/`);
  return rows.map(({ row }) => row.version);
};

describe('what nodes do in the course of time', () => {
  test('GRP-6: keys that an epoch did not need take its step in the background', async () => {
    const [alice, bob] = await world.members(2);
    if (!alice || !bob) throw new Error('two devices');
    const phantoms = await world.phantoms(40);
    const group = await world.group([alice, bob]);
    await world.deal(group, alice, { added: phantoms });
    const newest = Math.max(...(await treeVersions('node-1', group)));
    await world.deal(group, alice, { removed: phantoms.slice(0, 1) });
    for (let i = 0; i < 1000; i++) {
      const versions = await treeVersions('node-1', group);
      if (versions.every((version) => version > newest)) break;
      await new Promise((resolve) => {
        setTimeout(resolve, 5);
      });
    }
    expect(Math.min(...(await treeVersions('node-1', group)))).toBeGreaterThan(newest);
    await world.deal(group, alice, { removed: phantoms.slice(30, 32) });
    expect(fingerprintOf(bob, group)).toBe(fingerprintOf(alice, group));
  });

  test('GRP-8: a node keeps a share for the lifetime of its epoch; later a welcome brings keys alone', async () => {
    const [alice, bob] = await world.members(2);
    if (!alice || !bob) throw new Error('two devices');
    bob.confirms = false;
    const group = await world.group([alice, bob]);
    const lastShare = (member: GroupDevice): number | undefined =>
      member.device.events.findLast(({ groupWelcome }) => groupWelcome)?.groupWelcome?.share.length;
    expect(lastShare(bob)).toBe(32);
    ahead += HOUR_MS - MINUTE_MS;
    await world.network.node('node-1').sweep();
    await bob.device.attach('node-1', 'node-2');
    expect(lastShare(bob)).toBe(32);
    ahead += 2 * MINUTE_MS;
    await world.network.node('node-1').sweep();
    await bob.device.attach('node-1', 'node-2');
    await bob.until('a welcome without a share', () => (lastShare(bob) === 0 ? true : undefined));
    await world.deal(group, alice);
    expect(fingerprintOf(bob, group)).toBe(fingerprintOf(alice, group));
  });

  test('GRP-3: staged rosters are few, and wait five minutes', () => {
    const manual = new ManualClock();
    const staged = new StagedRosters(manual);
    const part = { groupHex: '00', epoch: 1, offset: 0, members: [new Uint8Array(32)] };
    for (let i = 0; i < 32; i++) expect(staged.add(`dealer ${i}`, part)).toBe(1);
    expect(() => staged.add('one more', part)).toThrow(expect.objectContaining({ code: 'GROUP_BUSY' }));
    expect(staged.add('dealer 1', { ...part, offset: 1 })).toBe(2);
    manual.advance(5 * MINUTE_MS);
    expect(staged.add('one more', part)).toBe(1);
    const gone = (): unknown => staged.of('dealer 1', '00', 1, 2);
    expect(gone).toThrow(expect.objectContaining({ code: 'STAGE_OUT_OF_ORDER' }));
    const many = Array.from({ length: 16_385 }, () => new Uint8Array(32));
    const large = (): unknown => staged.add('one more', { ...part, members: many });
    expect(large).toThrow(expect.objectContaining({ code: 'GROUP_TOO_LARGE' }));
  });
});
