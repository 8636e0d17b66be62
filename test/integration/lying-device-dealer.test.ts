import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fromBase32, toHex } from '@symmetra/crypto';
import type { Device } from '@symmetra/sdk';
import { TestDevice, fresh } from '@symmetra/testing';
import { Fleet, agree, next } from './sdk-fleet.js';

describe('PAIR-11: a dealer that frames a node', () => {
  const FRAMED = 'node-2';
  let fleet: Fleet;
  let mallory: TestDevice;
  let alice: Device;
  let bob: Device;

  beforeAll(async () => {
    fleet = await Fleet.start();
    mallory = await TestDevice.enrol(await fleet.token());
    [alice, bob] = [await fleet.join('alice'), await fleet.join('bob')];
    await mallory.connect('node-1');
  });

  afterAll(async () => {
    mallory.close();
    await fleet.stop();
  });

  test('by a share that does not fit is refused by the node itself, and Bob hears nothing of it', async () => {
    const { requests } = mallory.startNegotiation(fromBase32(bob.id));
    const framed = requests.find(({ nodeId }) => nodeId === FRAMED);
    if (framed === undefined) throw new Error('there is no such node');
    await expect(mallory.ask({ ...framed, share: fresh(32) })).rejects.toMatchObject({
      code: 'SHARE_MISMATCH',
    });
    expect(await fleet.network.store(FRAMED).scan('share/')).toEqual([]);
  });

  test('by another header is reported with both names, and the node serves honest devices as before', async () => {
    const keyId = fresh(16);
    const honest = mallory.startNegotiation(fromBase32(bob.id), { keyId });
    const other = mallory.startNegotiation(fromBase32(bob.id), { keyId, purpose: 'another' });
    const reported = next(bob, 'report');
    for (const nodeId of fleet.network.nodeIds) {
      const { requests } = nodeId === FRAMED ? other : honest;
      const request = requests.find((one) => one.nodeId === nodeId);
      if (request !== undefined) await mallory.ask(request);
    }
    expect(await reported).toMatchObject({
      keyId: toHex(keyId),
      node: FRAMED,
      initiator: mallory.id,
      reason: 'HEADER_MISMATCH',
    });

    const [there, back] = [await agree(alice, bob, { threshold: 'all' }), await agree(bob, alice)];
    expect(there.ours.nodes).toContain(FRAMED);
    expect(there.ours.bytes()).toEqual(there.theirs.bytes());
    expect(back.ours.bytes()).toEqual(back.theirs.bytes());
    expect(fleet.network.log).toContainEqual(
      expect.objectContaining({
        event: 'report',
        device: bob.id,
        peer: mallory.id,
        reason: 'HEADER_MISMATCH',
      }),
    );
  });
});
