import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fromBase32, fromHex } from '@symmetra/crypto';
import type { Device, SecureChannel } from '@symmetra/sdk';
import { Fleet, agree, next } from './sdk-fleet.js';

describe('revocation', () => {
  let fleet: Fleet;
  let alice: Device;

  beforeAll(async () => {
    fleet = await Fleet.start();
    alice = await fleet.join('alice', { listen: true });
  });

  afterAll(async () => {
    await fleet.stop();
  });

  const revoke = async (device: string, reason = 'stolen') =>
    fleet.network.administrator.submit({ kind: 'device-revoke', deviceId: fromBase32(device), reason });

  const errorOf = async (channel: SecureChannel): Promise<unknown> =>
    new Promise((resolve) => {
      channel.once('error', resolve);
    });

  test('a revoked device is refused everywhere; its peers are told, close channels and erase the keys', async () => {
    const mallory = await fleet.join('mallory', { listen: true });
    const { ours } = await agree(alice, mallory);
    const opened = next(mallory, 'channel');
    const channel = await alice.openChannel(mallory.id, { keyId: ours.keyId });
    await opened;
    channel.resume();
    const [told, closed] = [next(alice, 'revoked'), errorOf(channel)];
    await revoke(mallory.id);
    expect(await told).toMatchObject({ device: mallory.id, keyIds: [ours.keyId], reason: 'stolen' });
    expect(await closed).toMatchObject({ code: 'PEER_REVOKED' });
    expect(alice.keys()).toEqual([]);
    expect(() => ours.bytes()).toThrow(expect.objectContaining({ code: 'PEER_REVOKED' }));
    await expect(alice.negotiate(mallory.id)).rejects.toMatchObject({ code: 'PEER_REVOKED' });
    await expect(mallory.negotiate(alice.id)).rejects.toMatchObject({ code: 'DEVICE_REVOKED' });
    await expect(mallory.ratchet()).rejects.toMatchObject({ code: 'DEVICE_REVOKED' });
    await mallory.close();
    const again = await fleet.open('mallory');
    await expect(again.connect()).rejects.toMatchObject({ code: 'DEVICE_REVOKED' });
  });

  test('a device that was away learns of it when it is back', async () => {
    const [erin, mallory] = [await fleet.join('erin'), await fleet.join('mallory 2')];
    const { ours } = await agree(erin, mallory);
    await erin.close();
    await revoke(mallory.id);
    const back = await fleet.open('erin');
    const told = next(back, 'revoked');
    await back.connect();
    expect(await told).toMatchObject({ device: mallory.id, keyIds: [ours.keyId] });
    expect(back.keys()).toEqual([]);
  });

  test('one key is revoked at both ends, and its peers stay', async () => {
    const bob = await fleet.join('bob');
    const [gone, kept] = [await agree(alice, bob), await agree(alice, bob)];
    const told = [next(alice, 'revoked'), next(bob, 'revoked')];
    const keyId = fromHex(gone.ours.keyId);
    await fleet.network.administrator.submit({ kind: 'key-revoke', keyId, reason: 'leaked' });
    for (const revocation of await Promise.all(told)) {
      expect(revocation).toEqual({ keyIds: [gone.ours.keyId], reason: 'leaked' });
    }
    expect(() => gone.ours.bytes()).toThrow(expect.objectContaining({ code: 'KEY_REVOKED' }));
    expect(() => bob.key(gone.ours.keyId)).toThrow(expect.objectContaining({ code: 'KEY_REVOKED' }));
    expect(bob.key(kept.ours.keyId).fingerprint).toBe(kept.ours.fingerprint);
    expect((await agree(alice, bob)).ours.continuity).toBe(true);
  });

  test('a negotiation with a peer that is revoked while it is away comes to nothing', async () => {
    const carol = await fleet.enrol('carol');
    await carol.close();
    const pending = await alice.negotiate(carol.id, { wait: 500 });
    expect(pending.state).toBe('pending');
    const told = next(alice, 'revoked');
    await revoke(carol.id);
    expect(await told).toMatchObject({ device: carol.id, keyIds: [pending.keyId] });
    expect(() => alice.key(pending.keyId)).toThrow(expect.objectContaining({ code: 'PEER_REVOKED' }));
  });
});
