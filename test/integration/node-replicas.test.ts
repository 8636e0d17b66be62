import { Reader, fromBase32 } from '@symmetra/crypto';
import type { Device } from '@symmetra/sdk';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Fleet, agree, next } from './sdk-fleet.js';

/*
 * Every node of the network is two processes over one store. Sessions, links and the work on groups spread over them as
 * it comes.
 */

const NODES = ['node-1', 'node-2', 'node-3'];

let fleet: Fleet;
let devices: readonly Device[];

beforeAll(async () => {
  fleet = await Fleet.start({}, undefined, NODES);
  for (const id of NODES) await fleet.network.startReplica(id);
  devices = await Promise.all(Array.from({ length: 6 }, async (_, i) => fleet.join(`device-${i}`)));
});
afterAll(async () => fleet.stop());

const pair = (one: number, other: number): [Device, Device] => [
  devices[one] as Device,
  devices[other] as Device,
];

describe('a node of two processes', () => {
  test('SES-3: devices have their sessions and links at both', async () => {
    const owners = new Set<string>();
    for (const id of NODES) {
      for (const { key, row } of await fleet.network.store(id).scan('presence/')) {
        const reader = new Reader(row.value, key);
        reader.u64();
        owners.add(reader.text(8));
      }
    }
    expect(owners.size).toBeGreaterThan(NODES.length);
  });

  test('all pairs agree on keys', async () => {
    for (let i = 0; i < devices.length; i++) {
      const [one, other] = pair(i, (i + 1) % devices.length);
      const { ours, theirs } = await agree(one, other);
      expect(ours.fingerprint).toBe(theirs.fingerprint);
      expect(ours.nodes.length).toBeGreaterThanOrEqual(2);
    }
  });

  test('a ratchet step through any process is in force at both', async () => {
    const [one, other] = pair(0, 3);
    for (let round = 0; round < 3; round++) await one.ratchet();
    const { ours, theirs } = await agree(one, other);
    expect(ours.fingerprint).toBe(theirs.fingerprint);
  });

  test('a group: created, sent to, reduced', async () => {
    const [manager] = pair(0, 1);
    const others = devices.slice(1);
    const arrived = others.map(async (device) => next(device, 'group'));
    const { groupId, fingerprint } = await manager.group.create({ members: others.map(({ id }) => id) });
    for (const info of await Promise.all(arrived)) expect(info.fingerprint).toBe(fingerprint);
    const heard = others.map(async (device) => next(device, 'groupMessage'));
    await manager.group.send(groupId, new TextEncoder().encode('to all'));
    for (const { plaintext } of await Promise.all(heard)) {
      expect(new TextDecoder().decode(plaintext)).toBe('to all');
    }
    const [gone, ...staying] = others;
    const renewed = staying.map(async (device) => next(device, 'group'));
    const after = await manager.group.remove(groupId, [(gone as Device).id]);
    for (const info of await Promise.all(renewed)) expect(info.fingerprint).toBe(after.fingerprint);
  });

  test('SESSION_LOST: one process of each node ends; devices go on with the other', async () => {
    for (const id of NODES) await fleet.network.stopReplica(id);
    for (let i = 0; i < devices.length; i++) {
      const [one, other] = pair(i, (i + 1) % devices.length);
      const { ours, theirs } = await agree(one, other);
      expect(ours.fingerprint).toBe(theirs.fingerprint);
    }
  });

  test('the other one ends once the first is back, and the work on groups goes on', async () => {
    for (const id of NODES) {
      await fleet.network.startReplica(id);
      await fleet.network.stopNode(id);
    }
    const [manager, ...others] = devices.slice(0, 4) as [Device, ...Device[]];
    const arrived = others.map(async (device) => next(device, 'group'));
    const { fingerprint } = await manager.group.create({ members: others.map(({ id }) => id) });
    for (const info of await Promise.all(arrived)) expect(info.fingerprint).toBe(fingerprint);
    for (const id of NODES) await fleet.network.startNode(id);
  });

  test('a revocation holds at both', async () => {
    const [one, last] = pair(0, 5);
    await agree(one, last);
    const told = next(one, 'revoked');
    await fleet.network.administrator.submit({
      kind: 'device-revoke',
      deviceId: fromBase32(last.id),
      reason: 'lost',
    });
    await told;
    await expect(one.negotiate(last.id)).rejects.toMatchObject({ code: 'PEER_REVOKED' });
  });
});
