import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Fleet, agree } from './sdk-fleet.js';

describe('the whole path', () => {
  let fleet: Fleet;

  beforeAll(async () => {
    fleet = await Fleet.start();
  });

  afterAll(async () => {
    await fleet.stop();
  });

  describe.each([1, 2, 3])('under suite %i', (suite) => {
    test('PAIR-10: two devices enrol, ratchet, connect and hold one key, directly and relayed', async () => {
      const alice = await fleet.join(`alice-${suite}`, { suite });
      const bob = await fleet.join(`bob-${suite}`, { suite, listen: true });
      expect(alice.stage).toBe('production');
      expect(alice.status()).toMatchObject({ deviceId: alice.id, warnings: [] });
      expect(
        Object.values(alice.status().epochs).filter((epoch) => epoch === 1).length,
      ).toBeGreaterThanOrEqual(2);
      expect(alice.status().home).toMatch(/^node-[123]$/);

      const direct = await agree(alice, bob);
      expect(direct.ours).toMatchObject({
        suite,
        direct: true,
        directKem: true,
        continuity: false,
        role: 'initiator',
      });
      expect(direct.theirs).toMatchObject({
        role: 'responder',
        peer: alice.id,
        fingerprint: direct.ours.fingerprint,
      });
      expect(direct.theirs.bytes()).toEqual(direct.ours.bytes());

      const relayed = await agree(alice, bob, { direct: false });
      expect(relayed.ours).toMatchObject({ suite, direct: false, continuity: true });
      expect(relayed.theirs.bytes()).toEqual(relayed.ours.bytes());
      expect(relayed.ours.fingerprint).not.toBe(direct.ours.fingerprint);

      const code = await alice.ratchet();
      expect(code.code).toMatch(/^[a-z2-7]{8}$/);
      expect(Math.max(...Object.values(code.epochs))).toBe(2);
      expect((await agree(alice, bob)).ours.state).toBe('active');
    });
  });
});
