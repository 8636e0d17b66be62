import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Device } from '@symmetra/sdk';
import { ManualClock } from '@symmetra/testing';
import { Fleet, agree } from './sdk-fleet.js';

const MAX_STALENESS_MS = 5000;

let clock: ManualClock;
let fleet: Fleet;
let alice: Device;
let bob: Device;

beforeAll(async () => {
  clock = new ManualClock(Date.now());
  fleet = await Fleet.start({}, clock);
  alice = await fleet.join('alice');
  bob = await fleet.join('bob');
});

afterAll(async () => {
  await fleet.stop();
});

test('CTL-7: one of three nodes down, keys come about; two down, a clear error; and all is well by itself', async () => {
  const { network } = fleet;
  await network.stopNode('node-3');
  clock.advance(MAX_STALENESS_MS);
  const one = await agree(alice, bob);
  expect(one.theirs.fingerprint).toBe(one.ours.fingerprint);
  await network.stopNode('node-2');
  clock.advance(MAX_STALENESS_MS);
  await expect(alice.negotiate(bob.id, { wait: 2000 })).rejects.toMatchObject({ code: 'NODE_STALE' });
  await network.startNode('node-2');
  const two = await agree(alice, bob);
  expect(two.theirs.fingerprint).toBe(two.ours.fingerprint);
  expect(two.ours.nodes.toSorted()).toEqual(['node-1', 'node-2']);
});
