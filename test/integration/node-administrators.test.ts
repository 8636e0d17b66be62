import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { signatureKeygen } from '@symmetra/crypto';
import { NodeClient } from '@symmetra/rpc';
import { ManualClock, NodeNetwork, fresh } from '@symmetra/testing';
import { adoptDescriptor } from '../../packages/node/src/control/descriptor-row.js';

let clock: ManualClock;
let network: NodeNetwork;

beforeEach(async () => {
  clock = new ManualClock();
  network = await NodeNetwork.start({}, clock);
});

afterEach(async () => {
  await network.stop();
});

async function turns(): Promise<void> {
  for (let i = 0; i < 20; i++) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 500) {
    clock.advance(500);
    await turns();
  }
}

async function running(id: string, version: number): Promise<void> {
  await expect.poll(() => network.runningVersion(id), { timeout: 10_000 }).toBe(version);
}

describe('CTL-3: a descriptor that replaces the administrators', () => {
  test('keeps no node that lost its store from the log of before, nor accuses those that have it', async () => {
    await network.administrator.submit({ kind: 'device-revoke', deviceId: fresh(32), reason: 'test' });
    const administrators = [signatureKeygen(fresh(32)).publicKey];
    const signed = network.sign({ ...network.descriptor, version: 2, administrators });
    for (const { id, addresses } of network.descriptor.nodes) {
      const client = new NodeClient(addresses[0] ?? '');
      // One that heard of it from another node is starting anew just now.
      await client.putDescriptor(signed).catch(() => undefined);
      client.close();
      await running(id, 2);
    }
    await network.settled();
    await network.stopNode('node-3');
    await network.emptyStore('node-3');
    await adoptDescriptor(network.store('node-3'), signed);
    const entries = network.stream.entries.length;
    await network.startNode('node-3');
    await pass(5000);
    expect(network.node('node-3').control()).toMatchObject({ number: 2, isFresh: true, forged: 0 });
    expect(network.stream.entries).toHaveLength(entries);
  });
});
