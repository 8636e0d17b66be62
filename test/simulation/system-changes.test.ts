import { fromBase32 } from '@symmetra/crypto';
import { Prng } from '@symmetra/testing';
import type { World } from '@symmetra/testing';
import { expect, test } from 'vitest';
import { SystemChanges } from './system-changes.js';

const NODES = ['node-1', 'node-2', 'node-3'];
const DEVICE = 'a'.repeat(52);
const BEGINNINGS = 20;

test('CTL-1: no second node is replaced before the devices are enrolled with the first, whatever they say of themselves', async () => {
  let isEnrolled = false;
  let replaced = 0;
  const node = (id: string): unknown => ({ id, address: id, retire: () => undefined });
  const world = {
    root: { descriptor: { nodes: NODES, threshold: 2 } },
    nodeIds: NODES,
    nodes: NODES.map(node),
    machines: [],
    // It has not heard of the change, and has chains with the nodes of before.
    devices: [
      {
        alive: true,
        known: { id: DEVICE },
        device: { status: () => ({ epochs: Object.fromEntries(NODES.map((id) => [id, 1])) }) },
      },
    ],
    administrator: {
      call: async () => ({ devices: isEnrolled ? [{ deviceId: fromBase32(DEVICE) }] : [] }),
    },
    addNode: async (id: string) => node(id),
    bringDescriptor: async () => undefined,
    timeline: { after: () => undefined },
    occurrences: {
      note: (what: string) => {
        if (what === 'change:node-replaced') replaced += 1;
      },
    },
  };
  const changes = new SystemChanges({
    world: world as unknown as World,
    prng: new Prng('changes'),
    most: BEGINNINGS,
    start: () => undefined,
    revoked: new Set(),
  });
  const begin = async (): Promise<void> => {
    for (let i = 0; i < BEGINNINGS; i++) {
      changes.begin();
      await new Promise(setImmediate);
    }
  };
  await begin();
  expect(replaced).toBe(1);
  isEnrolled = true;
  await begin();
  expect(replaced).toBeGreaterThan(1);
});
