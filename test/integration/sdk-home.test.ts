import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Device } from '@symmetra/sdk';
import { Fleet, agree, until } from './sdk-fleet.js';

describe('the home node', () => {
  let fleet: Fleet;
  let alice: Device;
  let bob: Device;

  beforeAll(async () => {
    fleet = await Fleet.start();
    [alice, bob] = await Promise.all([fleet.join('alice'), fleet.join('bob')]);
  });

  afterAll(async () => {
    await fleet.stop();
  });

  test('SES-7: fails: the device goes to another, and its keys come about', async () => {
    const home = alice.status().home ?? '';
    await fleet.network.stopNode(home);
    await until(() => ![null, home].includes(alice.status().home), 'another home');
    await until(() => ![null, home].includes(bob.status().home), 'another home');
    expect((await agree(alice, bob, { direct: false })).ours.nodes).not.toContain(home);
    expect((await agree(bob, alice, { direct: false })).ours.nodes).not.toContain(home);
    await fleet.network.startNode(home);
  });

  test('lost its sessions: they are opened again, and nothing else is noticed', async () => {
    const other = fleet.network.nodeIds.find((id) => id !== alice.status().home && id !== bob.status().home);
    await fleet.network.stopNode(other ?? '');
    await fleet.network.startNode(other ?? '');
    expect((await agree(alice, bob, { direct: false, threshold: 'all' })).ours.nodes.length).toBe(3);
  });

  test('all are away for a moment: the device is back by itself', async () => {
    for (const id of fleet.network.nodeIds) await fleet.network.stopNode(id);
    await until(() => alice.status().home === null && bob.status().home === null, 'no home');
    await expect(alice.negotiate(bob.id, { wait: 1000 })).rejects.toMatchObject({ code: 'NODE_UNREACHABLE' });
    const begun = await alice.negotiate(bob.id, { wait: 0 });
    for (const id of fleet.network.nodeIds) await fleet.network.startNode(id);
    await until(() => alice.status().home !== null && bob.status().home !== null, 'a home');
    await until(
      () => alice.keys().some((key) => key.keyId === begun.keyId && key.state === 'active'),
      'the key',
    );
    expect(bob.key(begun.keyId).bytes()).toEqual(alice.key(begun.keyId).bytes());
  });

  test('SES-8: is told when the device closes, as every node is', async () => {
    const device = await fleet.join('leaving');
    await until(() => device.status().warnings.length === 0, 'the enrolment at every node');
    await agree(device, bob, { threshold: 'all' });
    const before = fleet.network.log.length;
    await device.close();
    const closed = fleet.network.log.slice(before).filter(({ method }) => method?.endsWith('/Close'));
    expect(closed.map(({ node, code }) => `${node} ${code}`).toSorted()).toEqual([
      'node-1 OK',
      'node-2 OK',
      'node-3 OK',
    ]);
  });

  test('devices spread over the nodes', async () => {
    const devices = await Promise.all(Array.from({ length: 8 }, async (_, i) => fleet.join(`many-${i}`)));
    expect(new Set(devices.map((device) => device.status().home)).size).toBeGreaterThan(1);
  });
});
