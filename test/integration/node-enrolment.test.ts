import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DEFAULT_POLICY } from '@symmetra/protocol';
import { ManualClock, NodeNetwork, TestDevice } from '@symmetra/testing';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

describe('enrolment at a node', () => {
  const clock = new ManualClock();
  let network: NodeNetwork;

  beforeAll(async () => {
    network = await NodeNetwork.start({}, clock);
  });

  afterAll(async () => {
    await network.stop();
  });

  const meet = async (
    options: { uses?: number; expiresMs?: number } = {},
    suiteId = 1,
  ): Promise<TestDevice> => TestDevice.meet(await network.administrator.createToken(options), suiteId);

  test('a device enrols through another node, which relays', async () => {
    const device = await meet();
    await device.enrolAt('node-3', 'node-1');
    await device.ratchet('node-3', 'production', 1, 'node-2');
    const { device: seen } = await network.administrator.call(
      'node-3',
      '/symmetra.admin.v1.AdminService/GetDevice',
      { deviceId: Buffer.from(device.deviceId) },
    );
    expect(seen).toMatchObject({
      name: 'test device',
      stage: 'production',
      epoch: 1,
      revoked: false,
      home: '',
      tags: { site: 'test' },
      cloneSuspected: false,
    });
    device.close();
  });

  test('the identical offer and confirmation get the identical answers', async () => {
    const device = await meet();
    const offer = device.makeOffer('node-1');
    const client = device.client('node-1');
    const first = await client.offer({ node: '', offer });
    expect(await client.offer({ node: 'node-1', offer })).toEqual(first);
    const state = await device.offer('node-2');
    const { confirmation } = state;
    const acknowledged = await device.client('node-2').confirm({ node: '', confirmation });
    expect(await device.client('node-2').confirm({ node: '', confirmation })).toEqual(acknowledged);
    device.close();
  });

  test('a token that no administrator made is TOKEN_UNKNOWN', async () => {
    const { text } = network.administrator.issueToken();
    const device = await TestDevice.meet(text);
    await expect(device.enrolAt('node-1')).rejects.toMatchObject({ code: 'TOKEN_UNKNOWN' });
    device.close();
  });

  test('a token of another network is WRONG_NETWORK', async () => {
    const device = await meet();
    const offer = device.makeOffer('node-1');
    // The network id follows the u16 length of the body and the version byte.
    offer[3] = (offer[3] ?? 0) ^ 1;
    const call = device.client('node-1').offer({ node: '', offer });
    await expect(call).rejects.toMatchObject({ code: 'WRONG_NETWORK' });
    device.close();
  });

  test('an offer for one node is WRONG_NODE at another, and one that was changed does not verify', async () => {
    const device = await meet();
    const offer = device.makeOffer('node-1');
    const misled = device.client('node-2').offer({ node: '', offer });
    await expect(misled).rejects.toMatchObject({ code: 'WRONG_NODE' });
    const changed = Uint8Array.from(offer);
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
    const forged = device.client('node-1').offer({ node: '', offer: changed });
    await expect(forged).rejects.toMatchObject({ code: 'AUTHENTICATION_FAILED' });
    device.close();
  });

  test('a spent token is TOKEN_SPENT for the next device', async () => {
    const token = await network.administrator.createToken();
    const alice = await TestDevice.meet(token);
    await alice.enrolAt('node-1');
    const mallory = await TestDevice.meet(token);
    await expect(mallory.enrolAt('node-1')).rejects.toMatchObject({ code: 'TOKEN_SPENT' });
    alice.close();
    mallory.close();
  });

  test('a token with two uses enrols two devices', async () => {
    const token = await network.administrator.createToken({ uses: 2 });
    for (let i = 0; i < 2; i++) {
      const device = await TestDevice.meet(token);
      await device.enrolAt('node-1');
      device.close();
    }
    const third = await TestDevice.meet(token);
    await expect(third.enrolAt('node-1')).rejects.toMatchObject({ code: 'TOKEN_SPENT' });
    third.close();
  });

  test('each answered call of an audited method leaves a line', async () => {
    const device = await meet();
    await device.enrolAt('node-1');
    expect(network.log).toContainEqual(
      expect.objectContaining({
        component: 'audit',
        method: '/symmetra.enrolment.v1.EnrolmentService/Confirm',
        device: device.id,
        code: 'OK',
      }),
    );
    device.close();
  });

  test('a second device while one is enrolling is TOKEN_CONTESTED, and audited', async () => {
    const token = await network.administrator.createToken();
    const alice = await TestDevice.meet(token);
    const confirming = await alice.offer('node-1');
    const mallory = await TestDevice.meet(token);
    await expect(mallory.offer('node-1')).rejects.toMatchObject({ code: 'TOKEN_CONTESTED' });
    expect(network.log).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        event: 'token-contested',
        device: mallory.id,
        node: 'node-1',
      }),
    );
    await alice.confirm('node-1', confirming);
    alice.close();
    mallory.close();
  });

  test('an expired token is TOKEN_EXPIRED', async () => {
    const device = await meet({ expiresMs: clock.now() + HOUR });
    clock.advance(2 * HOUR);
    await expect(device.enrolAt('node-1')).rejects.toMatchObject({ code: 'TOKEN_EXPIRED' });
    device.close();
  });

  test('a reservation that is not confirmed expires, is swept, and frees its use', async () => {
    const token = await network.administrator.createToken();
    const slow = await TestDevice.meet(token);
    const confirming = await slow.offer('node-1');
    clock.advance(11 * MINUTE);
    await network.node('node-1').sweep();
    await expect(slow.confirm('node-1', confirming)).rejects.toMatchObject({ code: 'RESERVATION_UNKNOWN' });
    const next = await TestDevice.meet(token);
    await next.enrolAt('node-1');
    slow.close();
    next.close();
  });

  test('a suite that policy forbids is SUITE_FORBIDDEN, and one that nobody knows is SUITE_UNKNOWN', async () => {
    const policy = { ...DEFAULT_POLICY, allowedSuites: [1, 3] };
    await network.administrator.submit({ kind: 'policy', policy });
    const device = await meet({}, 2);
    await expect(device.enrolAt('node-1')).rejects.toMatchObject({ code: 'SUITE_FORBIDDEN' });
    const offer = device.makeOffer('node-1');
    // The suite follows length, version and network id.
    offer[2 + 1 + 16] = 9;
    const unknown = device.client('node-1').offer({ node: '', offer });
    await expect(unknown).rejects.toMatchObject({ code: 'SUITE_UNKNOWN' });
    await network.administrator.submit({ kind: 'policy', policy: DEFAULT_POLICY });
    device.close();
  });

  test('a node that nobody knows is NODE_UNKNOWN, and one that is down NODE_UNREACHABLE', async () => {
    const device = await meet();
    const offer = device.makeOffer('node-2');
    const client = device.client('node-1');
    await expect(client.offer({ node: 'node-9', offer })).rejects.toMatchObject({ code: 'NODE_UNKNOWN' });
    await network.stopNode('node-2');
    await expect(client.offer({ node: 'node-2', offer })).rejects.toMatchObject({ code: 'NODE_UNREACHABLE' });
    await network.startNode('node-2');
    await client.offer({ node: 'node-2', offer });
    device.close();
  });
});
