import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { enrol } from '@symmetra/sdk';
import type { Device } from '@symmetra/sdk';
import { Fleet, agree, next, until } from './sdk-fleet.js';

describe('a device that ends in the middle', () => {
  let fleet: Fleet;
  let bob: Device;

  beforeAll(async () => {
    fleet = await Fleet.start();
    bob = await fleet.join('bob', { listen: true });
  });

  afterAll(async () => {
    await fleet.stop();
  });

  test('of its enrolment goes on with it, at whatever moment', async () => {
    const token = await fleet.network.administrator.createToken();
    const state = fleet.state('interrupted');
    let cuts = 0;
    for (let ms = 0; ms < 2000; ms += 7) {
      try {
        const device = await enrol({ token, state, signal: AbortSignal.timeout(ms) });
        await device.connect();
        expect(device.stage).toBe('production');
        await agree(device, bob);
        await device.close();
        break;
      } catch (error) {
        expect(error).toMatchObject({ code: 'ENROLMENT_ABORTED' });
        cuts += 1;
      }
    }
    expect(cuts).toBeGreaterThan(3);
  });

  test('of a ratchet step goes on with it', async () => {
    await fleet.enrol('stepping');
    await fleet.closeDevices();
    for (const ms of [1, 4, 8, 12, 18, 25, 40]) {
      const device = await fleet.open('stepping');
      const stepping = device.ratchet().then(
        () => undefined,
        () => undefined,
      );
      await new Promise((resolve) => {
        setTimeout(resolve, ms);
      });
      await device.close();
      await stepping;
    }
    bob = await fleet.open('bob');
    await bob.listen();
    await bob.connect();
    const device = await fleet.open('stepping');
    await device.connect();
    const before = device.status().epochs;
    // A step that was under way counts as the one that is asked for; the next is a new one.
    await device.ratchet();
    const { epochs } = await device.ratchet();
    for (const [node, epoch] of Object.entries(before)) expect(epochs[node]).toBeGreaterThan(epoch);
    await agree(device, bob);
  });

  test('of a negotiation completes it: each end away in each phase', async () => {
    const alice = await fleet.join('alice');
    const carol = await fleet.enrol('carol');
    await carol.close();

    // Requested: the initiator ends before its peer knows anything.
    const pending = await alice.negotiate(carol.id, { wait: 500 });
    await alice.close();

    // Responded: the responder ends before the initiator is back.
    const responder = await fleet.open('carol');
    await responder.connect();
    await until(() => responder.keys().some((key) => key.keyId === pending.keyId), 'the response');
    expect(responder.keys()).toMatchObject([{ keyId: pending.keyId, state: 'pending', role: 'responder' }]);
    await responder.close();

    // Confirmed: the responder is back and away again.
    const initiator = await fleet.open('alice');
    await initiator.connect();
    const brief = await fleet.open('carol');
    await brief.connect();
    await until(
      () => initiator.keys().some((key) => key.keyId === pending.keyId && key.state !== 'pending'),
      'the confirmation',
    );
    await brief.close();
    await initiator.close();

    const [first, second] = [await fleet.open('alice'), await fleet.open('carol')];
    await Promise.all([first.connect(), second.connect()]);
    await until(
      () => [first, second].every((one) => one.keys().some((key) => key.state === 'active')),
      'the key at both ends',
    );
    expect(second.key(pending.keyId).bytes()).toEqual(first.key(pending.keyId).bytes());
    expect((await agree(first, second)).ours.continuity).toBe(true);
  });

  test('while many keys are under way has each of them at both ends, or at neither', async () => {
    const dave = await fleet.join('dave');
    await agree(dave, bob);
    const begun = await Promise.all(
      Array.from({ length: 40 }, async () => dave.negotiate(bob.id, { wait: 0, direct: false })),
    );
    await dave.close();
    const again = await fleet.open('dave');
    await again.connect();
    await until(
      () => again.keys().every((key) => key.state === 'active') && again.keys().length === 41,
      'all keys',
    );
    for (const { keyId } of begun) expect(again.key(keyId).bytes()).toEqual(bob.key(keyId).bytes());
  });

  test('keeps its keys, their uses and their peers', async () => {
    const erin = await fleet.join('erin');
    const { ours } = await agree(erin, bob, { uses: 3 });
    ours.bytes();
    await erin.close();
    const again = await fleet.open('erin');
    expect(again.key(ours.keyId)).toMatchObject({ usesLeft: 2, fingerprint: ours.fingerprint });
    const accepted = next(bob, 'channel');
    const channel = await again.openChannel(bob.id, { keyId: ours.keyId });
    expect((await accepted).keyId).toBe(ours.keyId);
    channel.destroy();
  });
});
