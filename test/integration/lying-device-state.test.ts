import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fromBase32 } from '@symmetra/crypto';
import { decodeState, encodeState } from '@symmetra/protocol';
import type { ChainSettled } from '@symmetra/protocol';
import { TestDevice } from '@symmetra/testing';
import { Fleet, agree, until } from './sdk-fleet.js';

const OF_A_PROCESS = new Set(['owner', 'control.sock']);

describe('a state directory that exists twice', () => {
  let fleet: Fleet;

  beforeAll(async () => {
    fleet = await Fleet.start();
  });

  afterAll(async () => {
    await fleet.stop();
  });

  /** Copies the state of a device that is closed. */
  const copy = async (from: string, to: string): Promise<void> => {
    await rm(fleet.state(to), { recursive: true, force: true });
    await cp(fleet.state(from), fleet.state(to), { recursive: true });
    for (const name of OF_A_PROCESS) await rm(join(fleet.state(to), name), { force: true });
  };

  /** A device that is enrolled at every node, with its state and a copy of it. */
  const cloned = async (name: string, copyName: string): Promise<string> => {
    const device = await fleet.enrol(name);
    await until(() => Object.keys(device.status().epochs).length === 3, 'the whole enrolment');
    // No step is under way behind it: both copies would finish it alike.
    await device.ratchet();
    await device.close();
    await copy(name, copyName);
    return device.id;
  };

  const suspicions = (device: string): readonly string[] =>
    fleet.network.log
      .filter((line) => line.event === 'clone-suspected' && line.device === device)
      .map((line) => line.node ?? '');

  /** Epochs of a device as the nodes know them. */
  const epochsAtNodes = async (deviceId: Uint8Array): Promise<readonly number[]> =>
    Promise.all(
      fleet.network.nodeIds.map(async (nodeId) => {
        const { device } = await fleet.network.administrator.call(
          nodeId,
          '/symmetra.admin.v1.AdminService/GetDevice',
          { deviceId: Buffer.from(deviceId) },
        );
        return device?.epoch ?? 0;
      }),
    );

  const othersGoOn = async (suffix: string): Promise<void> => {
    const [bob, carol] = [await fleet.join(`bob ${suffix}`), await fleet.join(`carol ${suffix}`)];
    const { ours, theirs } = await agree(bob, carol);
    expect(ours.bytes()).toEqual(theirs.bytes());
  };

  test('ATK-9: the thief steps first: the owner is told STATE_LEFT, and every node suspects a clone', async () => {
    const id = await cloned('robbed', 'thief');
    const thief = await fleet.open('thief');
    await thief.ratchet();
    const owner = await fleet.open('robbed');
    await expect(owner.ratchet()).rejects.toMatchObject({ code: 'STATE_LEFT' });
    await expect(owner.connect()).rejects.toMatchObject({ code: 'STATE_LEFT' });
    expect(new Set(suspicions(id))).toEqual(new Set(fleet.network.nodeIds));
    await owner.close();
    await othersGoOn('of the robbed');

    await fleet.network.administrator.submit({
      kind: 'device-revoke',
      deviceId: fromBase32(id),
      reason: 'cloned',
    });
    await expect(thief.ratchet()).rejects.toMatchObject({ code: 'DEVICE_REVOKED' });
    const anew = await fleet.join('enrolled anew');
    await agree(anew, await fleet.join('peer of the new one'));
  });

  test('the owner steps first: the thief is told STATE_LEFT and marks itself, and the owner goes on', async () => {
    const id = await cloned('quick', 'slow thief');
    const owner = await fleet.open('quick');
    await owner.ratchet();
    const thief = await fleet.open('slow thief');
    await expect(thief.connect()).rejects.toMatchObject({ code: 'STATE_LEFT' });
    expect(suspicions(id).length).toBeGreaterThan(0);
    await thief.close();
    await owner.connect();
    await agree(owner, await fleet.join('peer of the quick'));
    await owner.ratchet();
  });

  test('ATK-7: after a step neither end holds what would open the sessions before it', async () => {
    const alice = await TestDevice.enrol(await fleet.token());
    const before = settled(alice);
    const old = [before.keys.ratchetKey.bytes, before.keys.chainKey.bytes].map((key) => Buffer.from(key));
    const stored = async (): Promise<Buffer> => {
      const row = await fleet.network
        .store('node-1')
        .get(`device/${Buffer.from(alice.deviceId).toString('hex')}`);
      return Buffer.from(row?.value ?? []);
    };
    const there = await stored();
    for (const key of old) expect(there.includes(key)).toBe(true);
    await alice.ratchet('node-1');
    const [here, thereNow] = [Buffer.from(encodeState(settled(alice))), await stored()];
    for (const key of old) {
      expect(here.includes(key)).toBe(false);
      expect(thereNow.includes(key)).toBe(false);
    }
    alice.close();
  });

  describe('a device that plays its own backup', () => {
    test('of an earlier epoch is told STATE_LEFT, and the nodes stay where they are', async () => {
      const deviceId = fromBase32(await cloned('restored', 'backup'));
      const later = await fleet.open('restored');
      await later.ratchet();
      await later.ratchet();
      await later.close();
      const epochs = await epochsAtNodes(deviceId);
      await copy('backup', 'restored');
      const restored = await fleet.open('restored');
      await expect(restored.ratchet()).rejects.toMatchObject({
        code: 'STATE_LEFT',
        message: expect.stringContaining('enrol it anew'),
      });
      await expect(restored.connect()).rejects.toMatchObject({ code: 'STATE_LEFT' });
      expect(await epochsAtNodes(deviceId)).toEqual(epochs);
      await restored.close();
    });

    test('with a step under way that is long done is told STATE_LEFT, each time', async () => {
      const { network } = fleet;
      const deviceId = fromBase32(await cloned('half way', 'half way unused'));
      await fleet.closeDevices();
      const before = await epochsAtNodes(deviceId);
      for (const nodeId of network.nodeIds) await network.stopNode(nodeId);
      const cut = await fleet.open('half way');
      await expect(cut.ratchet()).rejects.toMatchObject({ code: 'NODE_UNREACHABLE' });
      await cut.close();
      await copy('half way', 'half way backup');
      for (const nodeId of network.nodeIds) await network.startNode(nodeId);
      const finished = await fleet.open('half way');
      for (let step = 0; step < 5; step++) {
        await finished.ratchet();
        const now = await epochsAtNodes(deviceId);
        if (now.every((epoch, i) => epoch > (before[i] ?? 0))) break;
      }
      await finished.close();
      const epochs = await epochsAtNodes(deviceId);
      await copy('half way backup', 'half way');
      const restored = await fleet.open('half way');
      for (let again = 0; again < 2; again++) {
        await expect(restored.ratchet()).rejects.toMatchObject({ code: 'STATE_LEFT' });
      }
      expect(await epochsAtNodes(deviceId)).toEqual(epochs);
      await restored.close();
    });

    test('of the same epoch opens no session a second time: it is challenged, and marked', async () => {
      const alice = await TestDevice.enrol(await fleet.token());
      const backup = encodeState(settled(alice));
      const first = await alice.openSession('node-1');
      alice.chains.set('node-1', decodeState<ChainSettled>(backup));
      const { open } = alice.makeOpen('node-1');
      const client = alice.client('node-1');
      const reply = await client.open({ node: '', open });
      expect(reply.answer).toBeUndefined();
      expect(reply.challenge).toHaveLength(32);
      // The session that the counter belongs to is not disturbed, and its sequence goes on.
      const close = '/symmetra.session.v1.SessionService/Close';
      const [one, two] = [first.seal(close, new Uint8Array(0)), first.seal(close, new Uint8Array(0))];
      expect(two.seq).toBe(one.seq + 1);
      await client.sealed(close, { session: first.sessionId, ...one, node: '' });
      alice.close();
    });

    test('of the same epoch goes on by a step to a new one, and is marked', async () => {
      const id = await cloned('rewound', 'rewound backup');
      // One session behind is what a lost answer looks like; two are more than any loss explains.
      for (let session = 0; session < 2; session++) {
        const used = await fleet.open('rewound');
        await used.connect();
        await used.close();
      }
      await copy('rewound backup', 'rewound');
      const restored = await fleet.open('rewound');
      await restored.connect();
      await until(() => suspicions(id).length >= 2, 'the suspicion');
      const { ours, theirs } = await agree(restored, await fleet.join('peer of the rewound'));
      expect(ours.fingerprint).toBe(theirs.fingerprint);
    });
  });
});

function settled(device: TestDevice): ChainSettled {
  const chain = device.chains.get('node-1');
  if (chain?.kind !== 'settled') throw new Error('the chain is not settled');
  return chain;
}
