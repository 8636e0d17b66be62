import { fromBase32 } from '@symmetra/crypto';
import type { Device } from '@symmetra/sdk';
import { TestDevice } from '@symmetra/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { Fleet, agree, until } from './sdk-fleet.js';

/*
 * Nodes that are added, replaced and removed while devices use the network: ENR-9 to ENR-12, CTL-2.
 */
let fleet: Fleet;

afterEach(async () => fleet.stop());

const isAt = (device: Device, node: string): boolean => (device.status().epochs[node] ?? 0) > 0;

/** Devices meet a newer descriptor when they attach again at the nodes, which were built anew. */
async function settled(devices: readonly Device[], node: string): Promise<void> {
  for (const device of devices) {
    await until(() => isAt(device, node) && device.status().home !== null, `${device.name} at ${node}`);
  }
}

describe('a node that is added, and one that is removed', () => {
  test('ENR-9 to ENR-12: devices are introduced to the one, and agree on keys through it; they leave the other, as their home too', async () => {
    fleet = await Fleet.start();
    const alice = await fleet.join('alice', { listen: true });
    const bob = await fleet.join('bob', { listen: true });
    const carol = await fleet.enrol('carol');
    await carol.close();
    const { ours: before } = await agree(alice, bob);
    const changes: { readonly added: readonly string[]; readonly removed: readonly string[] }[] = [];
    alice.on('network', (change) => changes.push(change));

    await fleet.network.addNode('node-4');
    await settled([alice, bob], 'node-4');
    expect(changes).toMatchObject([{ version: 2, added: ['node-4'], removed: [] }]);
    expect(fleet.network.log).toContainEqual(
      expect.objectContaining({ node: 'node-4', event: 'device-introduced' }),
    );

    await fleet.network.stopNode('node-1');
    await fleet.network.stopNode('node-2');
    const { ours: key } = await agree(alice, bob);
    expect(key.nodes.toSorted()).toEqual(['node-3', 'node-4']);
    expect(key.continuity).toBe(true);
    expect(alice.keys().map(({ keyId }) => keyId)).toContain(before.keyId);

    await fleet.network.startNode('node-1');
    const back = await fleet.open('carol');
    await back.connect();
    await settled([back], 'node-4');
    expect(back.stage).toBe('production');

    await fleet.network.startNode('node-2');
    const home = alice.status().home ?? '';
    await fleet.network.removeNode(home);
    await until(() => !(home in alice.status().epochs) && !(home in bob.status().epochs), 'the change');
    await until(() => ![null, home].includes(alice.status().home), 'another home');
    const { ours: later } = await agree(alice, bob);
    expect(later.nodes).not.toContain(home);
    expect(alice.status().warnings).toEqual([]);
  });
});

describe('a node that is replaced or restored', () => {
  test('ENR-9, ENR-12: devices drop the chain with the keys that are no more, and enrol anew; an older token is of no use', async () => {
    fleet = await Fleet.start();
    const token = await fleet.token(3);
    const alice = await fleet.enrol('alice', { token });
    await alice.listen();
    await alice.connect();
    const bob = await fleet.join('bob', { listen: true });
    const { ours: before } = await agree(alice, bob);
    await alice.ratchet();
    const epoch = alice.status().epochs['node-3'] ?? 0;

    await fleet.network.stopNode('node-3');
    await fleet.network.replaceNode('node-3');
    await until(() => [alice, bob].every((device) => isAt(device, 'node-3')), 'the enrolment');
    await until(() => (alice.status().epochs['node-3'] ?? epoch) < epoch, 'another chain');
    await settled([alice, bob], 'node-3');

    const stranger = await TestDevice.meet(token);
    await expect(stranger.offer('node-3')).rejects.toMatchObject({ code: 'TOKEN_UNKNOWN' });
    stranger.close();
    const carol = await fleet.enrol('carol', { token });
    await carol.connect();
    await settled([carol], 'node-3');
    expect(carol.status().warnings).toEqual([]);
    await agree(alice, carol);

    await fleet.network.stopNode('node-1');
    const { ours: key } = await agree(alice, bob);
    expect(key.nodes.toSorted()).toEqual(['node-2', 'node-3']);
    expect(key.continuity).toBe(true);
    expect(alice.keys().map(({ keyId }) => keyId)).toContain(before.keyId);
  });
});

describe('a device that is closed at any moment', () => {
  test('ENR-9, CTL-2: drops no chain before the descriptor is stored, and goes on with its introduction', async () => {
    fleet = await Fleet.start();
    const first = await fleet.join('alice');
    await fleet.network.stopNode('node-3');
    await fleet.network.replaceNode('node-3');
    await fleet.network.addNode('node-4');
    await first.close();
    for (const pause of [0, 20, 60, 150]) {
      const device = await fleet.open('alice');
      void device.connect().catch(() => undefined);
      await new Promise((resolve) => {
        setTimeout(resolve, pause);
      });
      await device.close();
    }
    const alice = await fleet.open('alice');
    await alice.connect();
    await settled([alice], 'node-3');
    await settled([alice], 'node-4');
    expect(alice.status().warnings).toEqual([]);
    expect(Object.keys(alice.status().epochs).toSorted()).toEqual(['node-1', 'node-2', 'node-3', 'node-4']);
  });
});

describe('a workflow of several stages', () => {
  test('ENR-12: the chain with a new node rises by one stage with each step, up to that at k nodes, and no higher', async () => {
    fleet = await Fleet.start({
      stages: ['bootstrap', 'bench', 'field', 'retired'],
      keyStages: ['field'],
    });
    const alice = await fleet.join('alice');
    await alice.ratchet({ stage: 'bench' });
    await alice.ratchet({ stage: 'field' });
    await fleet.network.addNode('node-4');
    const { administrator } = fleet.network;
    await until(() => alice.status().epochs['node-4'] === 2, 'two steps');
    const { device } = await administrator.call('node-4', '/symmetra.admin.v1.AdminService/GetDevice', {
      deviceId: fromBase32(alice.id),
    });
    expect(device).toMatchObject({ stage: 'field', epoch: 2 });
    expect(alice.stage).toBe('field');
  });
});
