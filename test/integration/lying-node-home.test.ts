import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Device } from '@symmetra/sdk';
import type { DeviceEvent } from '../../packages/node/src/presence/event-sender.js';
import { LiarsFleet, NODES } from './lying-node-fleet.js';
import { lie } from './lying-node.js';
import type { Lies } from './lying-node.js';
import { agree, until } from './sdk-fleet.js';

let world: LiarsFleet;
beforeEach(async () => {
  world = await LiarsFleet.start();
});
afterEach(async () => world.stop());

function homeOf(device: Device): string {
  const { home } = device.status();
  if (home === null) throw new Error('the device has no home');
  return home;
}

/** A delivery with a wrong share; every other event as it is. */
function spoiled(event: DeviceEvent): DeviceEvent {
  if (!event.delivery) return event;
  return { delivery: { ...event.delivery, share: new Uint8Array(32) } };
}

describe('PAIR-10: a home node that lies is left, and the key is that of the two others', () => {
  test('it drops the messages of peers, both ways, and says that it carried them', async () => {
    const home = homeOf(world.bob);
    await world.agreeWhile(home, {
      event: (event, _device, send) => {
        if (!event.message) send(event);
      },
      carries: () => false,
    });
    expect(homeOf(world.bob)).not.toBe(home);
    await world.expectNobodyElseHarmed(home);
  });

  test('it withholds the events of every other node, and delivers a wrong share', async () => {
    const home = homeOf(world.bob);
    const pair = await world.agreeWhile(home, {
      event: (event, _device, send) => send(spoiled(event)),
      passes: () => false,
    });
    expect(pair.ours.nodes).not.toContain(home);
    expect(homeOf(world.bob)).not.toBe(home);
    await world.expectReported(world.bob, pair, home, 'SHARE_MISMATCH');
    await world.expectNobodyElseHarmed(home);
  });

  test('it keeps the devices from one node, and delivers a wrong share', async () => {
    const home = homeOf(world.alice);
    const kept = NODES.find((node) => node !== home);
    const pair = await world.agreeWhile(home, {
      event: (event, _device, send) => send(spoiled(event)),
      relays: (node) => node !== kept,
    });
    expect(pair.ours.nodes).not.toContain(home);
    await world.expectReported(world.bob, pair, home, 'SHARE_MISMATCH');
    await world.expectNobodyElseHarmed(home);
  });
});

describe('one node of three, home or not', () => {
  test('PAIR-11: takes every call and never answers', async () => {
    const homes = new Set([homeOf(world.alice), homeOf(world.bob)]);
    const silent = NODES.find((node) => !homes.has(node)) ?? '';
    const pair = await world.agreeWhile(silent, { answers: () => false });
    expect(pair.ours.nodes).not.toContain(silent);
    await world.expectReported(world.bob, pair, silent, 'DELIVERY_MISSING');
    await world.expectNobodyElseHarmed(silent);
  });

  test('SES-3: says that it is next year: no key expires', async () => {
    const { ours } = await agree(world.alice, world.bob);
    const ahead: Lies = { aheadMs: () => 365 * 24 * 3_600_000 };
    for (const node of NODES) {
      lie(node, ahead);
      await world.alice.close();
      const alice = await world.fleet.open('alice');
      await alice.connect();
      await until(() => alice.status().home !== null, 'a home');
      const { keyId } = ours;
      expect(alice.key(keyId).fingerprint).toBe(ours.fingerprint);
      expect(alice.status().warnings).toEqual([]);
      await alice.close();
      lie(node, {});
    }
  });
});
