import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DeliveryReport, Device } from '@symmetra/sdk';
import { Fleet, agree, next, until } from './sdk-fleet.js';

const SECOND = 1000;

describe('pairwise keys', () => {
  let fleet: Fleet;
  let alice: Device;
  let bob: Device;

  beforeAll(async () => {
    fleet = await Fleet.start();
    alice = await fleet.join('alice', { listen: true });
    bob = await fleet.join('bob', { listen: true });
  });

  afterAll(async () => {
    await fleet.stop();
  });

  test('64 in flight between one pair: every fingerprint matches', async () => {
    const keys = await Promise.all(Array.from({ length: 64 }, async () => agree(alice, bob)));
    for (const { ours, theirs } of keys) {
      expect(theirs.fingerprint).toBe(ours.fingerprint);
      expect(theirs.bytes()).toEqual(ours.bytes());
    }
    expect(new Set(keys.map(({ ours }) => ours.fingerprint)).size).toBe(64);
  });

  test('beyond 64 the rest wait for their turn', async () => {
    const keys = await Promise.all(
      Array.from({ length: 80 }, async () => agree(alice, bob, { direct: false })),
    );
    expect(keys.every(({ ours, theirs }) => ours.fingerprint === theirs.fingerprint)).toBe(true);
  });

  test('both directions at once are two keys', async () => {
    const [there, back] = await Promise.all([agree(alice, bob), agree(bob, alice)]);
    expect(there.ours.fingerprint).toBe(there.theirs.fingerprint);
    expect(back.ours.fingerprint).toBe(back.theirs.fingerprint);
    expect(there.ours.keyId).not.toBe(back.ours.keyId);
  });

  test('a key is what was asked for', async () => {
    const { ours, theirs } = await agree(alice, bob, {
      purpose: 'backup',
      keyLength: 48,
      lifetime: 60 * SECOND,
      uses: 2,
      suite: 3,
      directKem: false,
      threshold: 'all',
    });
    expect(ours).toMatchObject({ purpose: 'backup', length: 48, usesLeft: 2, suite: 3, directKem: false });
    expect(ours.nodes.toSorted()).toEqual(['node-1', 'node-2', 'node-3']);
    expect(theirs.bytes().length).toBe(48);
    expect(bob.keys().find((key) => key.keyId === ours.keyId)?.usesLeft).toBe(1);
  });

  test('a key whose uses are spent is used no more, and erased', async () => {
    const expired = next(alice, 'expired');
    const ours = await alice.negotiate(bob.id, { uses: 1 });
    if (ours.state === 'pending') throw new Error('the key stays pending');
    ours.bytes();
    expect(() => ours.bytes()).toThrow(expect.objectContaining({ code: 'KEY_USED_UP' }));
    expect((await expired).keyId).toBe(ours.keyId);
    expect(() => alice.key(ours.keyId)).toThrow(expect.objectContaining({ code: 'KEY_USED_UP' }));
  });

  test('a key that expires is erased at both ends, and says so', async () => {
    const expired = [next(alice, 'expired'), next(bob, 'expired')];
    const { ours } = await agree(alice, bob, { lifetime: SECOND });
    expect((await Promise.all(expired)).map((key) => key.keyId)).toEqual([ours.keyId, ours.keyId]);
    expect(() => ours.bytes()).toThrow(expect.objectContaining({ code: 'KEY_EXPIRED' }));
    expect(() => bob.key(ours.keyId)).toThrow(expect.objectContaining({ code: 'KEY_EXPIRED' }));
  });

  test('a key is renewed before it expires when it is in use', async () => {
    const renewed = next(alice, 'renewed');
    const { ours } = await agree(alice, bob, { lifetime: 2 * SECOND, purpose: 'long' });
    ours.bytes();
    const { keyId, key } = await renewed;
    expect(keyId).toBe(ours.keyId);
    expect(key).toMatchObject({ purpose: 'long', continuity: true });
    expect(bob.key(key.keyId).fingerprint).toBe(key.fingerprint);
    await expect(bob.renew(key.keyId)).rejects.toMatchObject({ code: 'NOT_INITIATOR' });
  });

  test('a peer that is offline gets its shares when it is back', async () => {
    const carol = await fleet.enrol('carol');
    await carol.close();
    const pending = await alice.negotiate(carol.id, { wait: 1500 });
    expect(pending).toMatchObject({ state: 'pending', peer: carol.id });
    expect(alice.keys().find((key) => key.keyId === pending.keyId)).toMatchObject({ state: 'pending' });
    const completed = next(alice, 'key');
    const back = await fleet.open('carol');
    await back.connect();
    const key = await completed;
    expect(key.keyId).toBe(pending.keyId);
    expect(back.key(key.keyId).bytes()).toEqual(alice.key(key.keyId).bytes());
  });

  test('without waiting, the key is pending and comes about by itself', async () => {
    const completed = next(alice, 'key');
    const pending = await alice.negotiate(bob.id, { wait: 0 });
    expect(pending.state).toBe('pending');
    expect((await completed).keyId).toBe(pending.keyId);
  });

  test('refusals have the reason of the nodes, or of the device itself', async () => {
    const stranger = `${'a'.repeat(51)}a`;
    await expect(alice.negotiate(stranger)).rejects.toMatchObject({ code: 'PEER_UNKNOWN' });
    await expect(alice.negotiate(alice.id)).rejects.toMatchObject({ code: 'PEER_SELF' });
    await expect(alice.negotiate('bob')).rejects.toMatchObject({ code: 'BAD_PEER' });
    await expect(alice.negotiate(bob.id, { keyLength: 8 })).rejects.toMatchObject({ code: 'BAD_OPTION' });
    await expect(alice.negotiate(bob.id, { purpose: '' })).rejects.toMatchObject({ code: 'BAD_OPTION' });
    await expect(alice.negotiate(bob.id, { suite: 9 })).rejects.toMatchObject({ code: 'SUITE_UNKNOWN' });
    expect(() => alice.key('00'.repeat(16))).toThrow(expect.objectContaining({ code: 'KEY_UNKNOWN' }));
  });

  test('a peer that forgot refuses, until this side forgets too', async () => {
    const dave = await fleet.join('dave');
    await agree(dave, bob);
    await dave.forget(bob.id);
    expect(dave.keys()).toEqual([]);
    await expect(dave.negotiate(bob.id)).rejects.toMatchObject({ code: 'CONTINUITY_REQUIRED' });
    await bob.forget(dave.id);
    expect((await agree(dave, bob)).ours.continuity).toBe(false);
  });

  test('PAIR-11: a node that is down is reported, and changes nothing else', async () => {
    await fleet.network.stopNode('node-2');
    try {
      const reports: DeliveryReport[] = [];
      bob.on('report', (report) => reports.push(report));
      const { ours } = await agree(alice, bob);
      expect(ours.nodes.toSorted()).toEqual(['node-1', 'node-3']);
      await expect(alice.negotiate(bob.id, { threshold: 'all', wait: 1000 })).rejects.toMatchObject({
        code: 'NODE_UNREACHABLE',
      });
      const own = (): readonly DeliveryReport[] => reports.filter(({ keyId }) => keyId === ours.keyId);
      await until(() => own().length > 0, 'a report');
      expect(own()).toEqual([
        { keyId: ours.keyId, node: 'node-2', initiator: alice.id, reason: 'DELIVERY_MISSING' },
      ]);
    } finally {
      await fleet.network.startNode('node-2');
    }
    await until(() => alice.status().home !== null && bob.status().home !== null, 'a home');
    expect((await agree(alice, bob, { threshold: 'all' })).ours.nodes.length).toBe(3);
  });
});
